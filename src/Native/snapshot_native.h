/*
 * snapshot_native.h: everything the C part of Snapshot offers to its C# part.
 *
 * Conventions
 *   - Every function returns 0 or an errno value, unless its comment says otherwise; errno itself is not part
 *     of the contract. Results come back through pointers and are written only on success.
 *   - Addresses and sizes are uint64_t, in bytes.
 *     Unless a comment says otherwise both are multiples of the page size.
 *   - Functions are thin: one system call each, no policy, no state, no allocation. All are thread-safe.
 *   - The constants are part of the ABI: never renumber, bump SN_ABI_VERSION when a signature changes.
 */
#ifndef SNAPSHOT_NATIVE_H
#define SNAPSHOT_NATIVE_H

#include <stdint.h>

#define SN_API __attribute__((visibility("default")))

#define SN_ABI_VERSION 1

/* Returns SN_ABI_VERSION of the library as built (not an errno). */
SN_API int32_t sn_abi_version(void);

/* ---- memory.c: address space --------------------------------------------------------------------------- */

/* Reserves [base, base+bytes) without access. EEXIST when anything is mapped there already. */
SN_API int32_t sn_memory_reserve(uint64_t base, uint64_t bytes);

/* Makes a part of a reservation readable and writable; the memory reads as zero until written. */
SN_API int32_t sn_memory_commit(uint64_t base, uint64_t bytes);

/* Drops the content of committed memory: it reads as zero again and costs nothing. */
SN_API int32_t sn_memory_discard(uint64_t base, uint64_t bytes);

/* Unmaps. */
SN_API int32_t sn_memory_release(uint64_t base, uint64_t bytes);

/* enable != 0: ask for huge pages in the range; 0: refuse them. */
SN_API int32_t sn_memory_advise_huge(uint64_t base, uint64_t bytes, int32_t enable);

/* Faults the range in for writing, so that later writes do not fault. */
SN_API int32_t sn_memory_populate(uint64_t base, uint64_t bytes);

/* Names the range in /proc/self/maps as [anon:NAME]. EINVAL when the kernel was built without this. */
SN_API int32_t sn_memory_name(uint64_t base, uint64_t bytes, const char *name);

/*
 * Maps fresh private anonymous memory wherever the kernel likes;
 * huge != 0 asks for huge pages, aligned to 2 MiB.
 */
SN_API int32_t sn_memory_map(uint64_t bytes, int32_t huge, uint64_t *base);

/* ---- track.c: which pages were written ----------------------------------------------------------------- */

/* One run of pages as PAGEMAP_SCAN reports it. Layout of the kernel's struct page_region. */
struct sn_page_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

#define SN_PAGE_WPALLOWED UINT64_C(1)
#define SN_PAGE_WRITTEN UINT64_C(2)
#define SN_PAGE_FILE UINT64_C(4)
#define SN_PAGE_PRESENT UINT64_C(8)
#define SN_PAGE_SWAPPED UINT64_C(16)
#define SN_PAGE_PFNZERO UINT64_C(32)
#define SN_PAGE_HUGE UINT64_C(64)

/*
 * Opens a userfaultfd (user_mode_only != 0: UFFD_USER_MODE_ONLY)
 * and enables `features` (UFFD_FEATURE_* bits).
 */
SN_API int32_t sn_uffd_open(int32_t user_mode_only, uint64_t features, int32_t *fd);

/* Registers / unregisters a range for write-protect mode. */
SN_API int32_t sn_uffd_register_wp(int32_t fd, uint64_t base, uint64_t bytes);
SN_API int32_t sn_uffd_unregister(int32_t fd, uint64_t base, uint64_t bytes);

/* Sets (on != 0) or clears write protection of a registered range. */
SN_API int32_t sn_uffd_protect(int32_t fd, uint64_t base, uint64_t bytes, int32_t on);

/* Opens /proc/self/pagemap for sn_pagemap_scan. */
SN_API int32_t sn_pagemap_open(int32_t *fd);

/*
 * PAGEMAP_SCAN of [start, end): the runs whose categories contain all bits of `require`, none of `forbid`
 * and, unless `any` is 0, at least one bit of `any`.
 * protect != 0: write-protects exactly the reported pages again in the same pass (needs WP-async).
 * At most `capacity` runs are stored; *count is their number and *walked the address up to which the range
 * was scanned (== end when all of it was).
 */
SN_API int32_t sn_pagemap_scan(int32_t fd, uint64_t start, uint64_t end, uint64_t require, uint64_t forbid,
                               uint64_t any, int32_t protect, struct sn_page_region *regions,
                               uint64_t capacity, uint64_t *count, uint64_t *walked);

/* Closes a descriptor opened by one of the functions above. */
SN_API int32_t sn_close(int32_t fd);

/* ---- futex.c: sleeping and waking ---------------------------------------------------------------------- */

/*
 * Sleeps while *word == expected, at most timeout_ns nanoseconds (negative: without limit). Private futex.
 * EAGAIN: the value differed at once. ETIMEDOUT: time passed. EINTR: a signal. 0: woken, perhaps spuriously.
 */
SN_API int32_t sn_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns);

/*
 * The same for two words at once (futex_waitv, Linux 5.16): sleeps while both hold.
 * ENOSYS on an older kernel.
 */
SN_API int32_t sn_futex_wait_either(const uint32_t *word1, uint32_t expected1, const uint32_t *word2,
                                    uint32_t expected2, int64_t timeout_ns);

/* Wakes at most `count` sleepers. */
SN_API int32_t sn_futex_wake(const uint32_t *word, int32_t count);

/* ---- file.c: what .NET cannot ask of a file ------------------------------------------------------------ */

/* Sets or clears O_DIRECT on an open descriptor. EINVAL where the file system refuses it. */
SN_API int32_t sn_file_set_direct(int32_t fd, int32_t on);

/* Makes the entries of a directory durable (open + fsync + close). `path` is UTF-8. */
SN_API int32_t sn_directory_sync(const char *path);

#endif
