/*
 * track.c: which pages were written, as the kernel tells it: userfaultfd in write-protect mode and the
 * PAGEMAP_SCAN request of /proc/self/pagemap. What the two promise together is explained where they are used,
 * in src/Snapshot/Tracking/WriteProtectTracker.cs.
 *
 * Distributions ship kernel headers older than their kernels, so what is younger than Linux 6.1 is defined
 * here, from the kernel's include/uapi/linux/fs.h.
 */
#include "snapshot_native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1 /* Linux 5.11 */
#endif

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00) /* Linux 6.1 */
#endif

/* struct pm_scan_arg (Linux 6.7), under a name of its own so that newer headers do not clash with it. */
struct scan_argument {
    uint64_t size;                /* of this struct: its version */
    uint64_t flags;               /* SCAN_* */
    uint64_t start;               /* in: first byte to scan */
    uint64_t end;                 /* in: byte after the last */
    uint64_t walk_end;            /* out: where the scan stopped */
    uint64_t vec;                 /* in: address of the struct page_region array */
    uint64_t vec_len;             /* in: its capacity, in elements */
    uint64_t max_pages;           /* in: 0 = no limit */
    uint64_t category_inverted;   /* in: categories whose bit is flipped before matching */
    uint64_t category_mask;       /* in: all of these must be set after flipping */
    uint64_t category_anyof_mask; /* in: at least one of these must be set; 0 = not asked */
    uint64_t return_mask;         /* in: categories told apart in the result */
};

#define SCAN_PROTECT_MATCHING UINT64_C(1) /* PM_SCAN_WP_MATCHING */
/* PM_SCAN_CHECK_WPASYNC: EPERM where a mapping is not registered */
#define SCAN_CHECK_WPASYNC UINT64_C(2)
#define SCAN_REQUEST _IOWR('f', 16, struct scan_argument)

_Static_assert(sizeof(struct scan_argument) == 96, "struct pm_scan_arg has 12 fields of 8 bytes");
_Static_assert(sizeof(struct sn_page_region) == 24, "struct page_region has 3 fields of 8 bytes");

/* Takes the descriptor over: enables the features, or closes it. */
static int32_t enable(int opened, uint64_t features, int32_t *fd)
{
    struct uffdio_api api = {.api = UFFD_API, .features = features};
    if (ioctl(opened, UFFDIO_API, &api) != 0) {
        int error = errno;
        close(opened);
        return error;
    }

    *fd = (int32_t)opened;
    return 0;
}

int32_t sn_uffd_open(int32_t user_mode_only, uint64_t features, int32_t *fd)
{
    int flags = O_CLOEXEC | O_NONBLOCK | (user_mode_only ? UFFD_USER_MODE_ONLY : 0);
    long opened = syscall(SYS_userfaultfd, flags);
    return opened < 0 ? errno : enable((int)opened, features, fd);
}

int32_t sn_uffd_open_device(uint64_t features, int32_t *fd)
{
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device < 0)
        return errno;
    int opened = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
    int error = errno;
    close(device);
    return opened < 0 ? error : enable(opened, features, fd);
}

int32_t sn_uffd_register_wp(int32_t fd, uint64_t base, uint64_t bytes)
{
    struct uffdio_register request = {
        .range = {.start = base, .len = bytes},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };
    return ioctl(fd, UFFDIO_REGISTER, &request) == 0 ? 0 : errno;
}

int32_t sn_uffd_register_missing(int32_t fd, uint64_t base, uint64_t bytes)
{
    struct uffdio_register request = {
        .range = {.start = base, .len = bytes},
        .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
    };
    return ioctl(fd, UFFDIO_REGISTER, &request) == 0 ? 0 : errno;
}

int32_t sn_uffd_next_fault(int32_t fd, int32_t timeout_ms, uint64_t *address)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, timeout_ms) < 0)
        return errno;
    struct uffd_msg message;
    if (read(fd, &message, sizeof message) != (ssize_t)sizeof message)
        return errno;
    if (message.event != UFFD_EVENT_PAGEFAULT)
        return EAGAIN;
    *address = message.arg.pagefault.address & ~(SN_PAGE_BYTES - 1);
    return 0;
}

int32_t sn_uffd_copy(int32_t fd, uint64_t target, uint64_t source, uint64_t bytes, uint64_t *copied)
{
    *copied = 0;
    while (*copied < bytes) {
        struct uffdio_copy copy = {
            .dst = target + *copied,
            .src = source + *copied,
            .len = bytes - *copied,
            .mode = UFFDIO_COPY_MODE_WP,
        };
        if (ioctl(fd, UFFDIO_COPY, &copy) == 0) {
            *copied = bytes;
            return 0;
        }

        /*
         * EAGAIN: some were copied, or the address space was changing. What stopped it, the next call says.
         */
        int error = errno;
        if (copy.copy > 0)
            *copied += (uint64_t)copy.copy;
        if (error != EAGAIN)
            return error;
    }
    return 0;
}

int32_t sn_uffd_wake(int32_t fd, uint64_t base, uint64_t bytes)
{
    struct uffdio_range range = {.start = base, .len = bytes};
    return ioctl(fd, UFFDIO_WAKE, &range) == 0 ? 0 : errno;
}

int32_t sn_uffd_unregister(int32_t fd, uint64_t base, uint64_t bytes)
{
    struct uffdio_range range = {.start = base, .len = bytes};
    return ioctl(fd, UFFDIO_UNREGISTER, &range) == 0 ? 0 : errno;
}

static int32_t write_protect(int32_t fd, uint64_t base, uint64_t bytes, int32_t on)
{
    struct uffdio_writeprotect request = {
        .range = {.start = base, .len = bytes},
        .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };
    return ioctl(fd, UFFDIO_WRITEPROTECT, &request) == 0 ? 0 : errno;
}

/*
 * ENOENT: before Linux 6.3 also of a range that is in several mappings, as it is after a change of protection
 * inside; on any kernel of one of which a part is not registered. Then it is done by halves. A write waits
 * for one page of what is unprotected, and would fault for ever if another one kept it shut.
 */
int32_t sn_uffd_protect(int32_t fd, uint64_t base, uint64_t bytes, int32_t on)
{
    int32_t error = write_protect(fd, base, bytes, on);
    if (error != ENOENT || bytes <= SN_PAGE_BYTES)
        return error;
    uint64_t half = bytes / SN_PAGE_BYTES / 2 * SN_PAGE_BYTES;
    error = sn_uffd_protect(fd, base, half, on);
    if (error != 0 && on)
        return error;
    int32_t rest = sn_uffd_protect(fd, base + half, bytes - half, on);
    return error != 0 ? error : rest;
}

int32_t sn_pagemap_open(int32_t *fd)
{
    int opened = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return errno;
    *fd = opened;
    return 0;
}

/* ---- the entries of /proc/self/pagemap, where there is no scan ----------------------------------------- */

/* Bits of an entry: Documentation/admin-guide/mm/pagemap.rst of the kernel. */
#define ENTRY_SOFT_DIRTY (UINT64_C(1) << 55)
#define ENTRY_FILE (UINT64_C(1) << 61)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_PRESENT (UINT64_C(1) << 63)

#define ENTRIES_AT_ONCE 2048u /* 16 KiB on the stack, 8 MiB of memory */

static uint64_t categories_of(uint64_t entry)
{
    return (entry & ENTRY_FILE ? SN_PAGE_FILE : 0) | (entry & ENTRY_PRESENT ? SN_PAGE_PRESENT : 0) |
           (entry & ENTRY_SWAPPED ? SN_PAGE_SWAPPED : 0) |
           (entry & ENTRY_SOFT_DIRTY ? SN_PAGE_SOFT_DIRTY : 0);
}

static int32_t read_entries(int32_t fd, uint64_t start, uint64_t *entries, size_t count)
{
    size_t bytes = count * sizeof *entries;
    for (size_t done = 0; done < bytes;) {
        off_t at = (off_t)(start / SN_PAGE_BYTES * sizeof *entries + done);
        ssize_t got = pread(fd, (char *)entries + done, bytes - done, at);
        if (got == 0)
            return ENODATA;
        if (got < 0 && errno != EINTR)
            return errno;
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* What a scan does, page by page. */
static int32_t look_through_entries(int32_t fd, uint64_t start, uint64_t end, uint64_t require,
                                    uint64_t forbid, uint64_t any, struct sn_page_region *regions,
                                    uint64_t capacity, uint64_t *count, uint64_t *walked)
{
    const uint64_t known = SN_PAGE_FILE | SN_PAGE_PRESENT | SN_PAGE_SWAPPED | SN_PAGE_SOFT_DIRTY;
    if (((require | forbid | any) & ~known) != 0)
        return EINVAL;
    uint64_t entries[ENTRIES_AT_ONCE], runs = 0;
    for (uint64_t at = start; at < end;) {
        uint64_t left = (end - at) / SN_PAGE_BYTES;
        size_t part = left < ENTRIES_AT_ONCE ? (size_t)left : ENTRIES_AT_ONCE;
        int32_t error = read_entries(fd, at, entries, part);
        if (error != 0)
            return error;
        for (size_t i = 0; i < part; i++, at += SN_PAGE_BYTES) {
            uint64_t categories = categories_of(entries[i]);
            if ((categories & require) != require || (categories & forbid) != 0 ||
                (any != 0 && (categories & any) == 0))
                continue;
            if (runs > 0 && regions[runs - 1].end == at) {
                regions[runs - 1].end += SN_PAGE_BYTES;
                continue;
            }
            if (runs == capacity) {
                *count = runs;
                *walked = at;
                return 0;
            }
            regions[runs++] =
                (struct sn_page_region){.start = at, .end = at + SN_PAGE_BYTES, .categories = require};
        }
    }
    *count = runs;
    *walked = end;
    return 0;
}

int32_t sn_pagemap_scan(int32_t fd, uint64_t start, uint64_t end, uint64_t require, uint64_t forbid,
                        uint64_t any, int32_t flags, struct sn_page_region *regions, uint64_t capacity,
                        uint64_t *count, uint64_t *walked)
{
    if ((flags & SN_SCAN_ENTRIES) != 0)
        return look_through_entries(fd, start, end, require, forbid, any, regions, capacity, count, walked);

    /* return_mask == require: neighbouring runs that differ in nothing asked for are one run. */
    struct scan_argument scan = {
        .size = sizeof scan,
        .flags = (flags & SN_SCAN_PROTECT ? SCAN_PROTECT_MATCHING : 0) |
                 (flags & (SN_SCAN_PROTECT | SN_SCAN_TRACKED) ? SCAN_CHECK_WPASYNC : 0),
        .start = start,
        .end = end,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = capacity,
        .category_inverted = forbid,
        .category_mask = require | forbid,
        .category_anyof_mask = any,
        .return_mask = require,
    };
    int found = ioctl(fd, SCAN_REQUEST, &scan);
    if (found < 0)
        return errno;

    *count = (uint64_t)found;
    *walked = scan.walk_end;
    return 0;
}

int32_t sn_soft_dirty_open(int32_t *fd)
{
    int opened = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (opened < 0)
        return errno;
    *fd = opened;
    return 0;
}

int32_t sn_soft_dirty_clear(int32_t fd)
{
    return write(fd, "4", 1) == 1 ? 0 : errno;
}

int32_t sn_close(int32_t fd)
{
    return close(fd) == 0 ? 0 : errno;
}
