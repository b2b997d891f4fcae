/*
 * track_test.c: written pages are reported once, also those the kernel wrote, and a bad argument is an errno.
 */
#include "check.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define WP_UNPOPULATED (UINT64_C(1) << 13) /* UFFD_FEATURE_WP_UNPOPULATED, Linux 6.4 */
#define WP_ASYNC (UINT64_C(1) << 15)       /* UFFD_FEATURE_WP_ASYNC, Linux 6.7 */
#define PAGES UINT64_C(16)

/* The written pages of [start, end), protected again. */
static int32_t collect(int32_t pagemap, uint64_t start, uint64_t end, struct sn_page_region *found,
                       uint64_t capacity, uint64_t *count, uint64_t *walked)
{
    return sn_pagemap_scan(pagemap, start, end, SN_PAGE_WRITTEN, 0, 0, SN_SCAN_PROTECT, found, capacity,
                           count, walked);
}

static uint64_t map_pages(void)
{
    uint64_t base = 0;
    CHECK_EQUAL(sn_memory_map_sparse(PAGES * PAGE, &base), 0);
    return base;
}

static void written_pages_are_reported_once(int32_t uffd, int32_t pagemap)
{
    uint64_t base = map_pages(), count = 0, walked = 0;
    struct sn_page_region found[4];
    CHECK_EQUAL(sn_uffd_register_wp(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_uffd_protect(uffd, base, PAGES * PAGE, 1), 0);

    int pipes[2];
    CHECK_EQUAL(pipe(pipes), 0);
    CHECK_EQUAL(write(pipes[1], "x", 1), 1);
    CHECK_EQUAL(read(pipes[0], (void *)(uintptr_t)(base + 9 * PAGE), 1), 1); /* the kernel writes page 9 */
    close(pipes[0]);
    close(pipes[1]);
    bytes_at(base)[3 * PAGE] = 1;
    bytes_at(base)[4 * PAGE] = 1;

    CHECK_EQUAL(collect(pagemap, base, base + PAGES * PAGE, found, 4, &count, &walked), 0);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(found[0].start, base + 3 * PAGE);
    CHECK_EQUAL(found[0].end, base + 5 * PAGE);
    CHECK_EQUAL(found[1].start, base + 9 * PAGE);
    CHECK_EQUAL(found[1].end, base + 10 * PAGE);
    CHECK_EQUAL(walked, base + PAGES * PAGE);

    CHECK_EQUAL(collect(pagemap, base, base + PAGES * PAGE, found, 4, &count, &walked), 0);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(sn_uffd_unregister(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

static void a_scan_stops_where_its_buffer_is_full(int32_t uffd, int32_t pagemap)
{
    uint64_t base = map_pages(), count = 0, walked = 0;
    struct sn_page_region found[1];
    CHECK_EQUAL(sn_uffd_register_wp(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_uffd_protect(uffd, base, PAGES * PAGE, 1), 0);
    bytes_at(base)[PAGE] = 1;
    bytes_at(base)[6 * PAGE] = 1;

    CHECK_EQUAL(collect(pagemap, base, base + PAGES * PAGE, found, 1, &count, &walked), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(found[0].start, base + PAGE);
    CHECK(walked > base + PAGE && walked <= base + 6 * PAGE);
    CHECK_EQUAL(collect(pagemap, walked, base + PAGES * PAGE, found, 1, &count, &walked), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(found[0].start, base + 6 * PAGE);
    CHECK_EQUAL(sn_uffd_unregister(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

/* A child has a copy that is not tracked, and what it does to that is not seen. */
static void a_forked_child_changes_nothing(int32_t uffd, int32_t pagemap)
{
    uint64_t base = map_pages(), end = base + PAGES * PAGE, count = 0, walked = 0;
    struct sn_page_region found[4];
    for (uint64_t page = 0; page < PAGES; page++)
        bytes_at(base)[page * PAGE] = 1;
    CHECK_EQUAL(sn_uffd_register_wp(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(collect(pagemap, base, end, found, 4, &count, &walked), 0);
    CHECK_EQUAL(count, 1);
    bytes_at(base)[2 * PAGE] = 2;

    int go[2], ready[2];
    char byte;
    CHECK_EQUAL(pipe(go), 0);
    CHECK_EQUAL(pipe(ready), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bytes_at(base)[5 * PAGE] = 3;
        bytes_at(base)[2 * PAGE] = 3;
        int good =
            bytes_at(base)[6 * PAGE] == 1 && write(ready[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1;
        _exit(good && bytes_at(base)[6 * PAGE] == 1 ? 0 : 1);
    }

    CHECK_EQUAL(read(ready[0], &byte, 1), 1);
    bytes_at(base)[6 * PAGE] = 4;
    CHECK_EQUAL(collect(pagemap, base, end, found, 4, &count, &walked), 0);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(found[0].start, base + 2 * PAGE);
    CHECK_EQUAL(found[1].start, base + 6 * PAGE);
    bytes_at(base)[7 * PAGE] = 4;
    CHECK_EQUAL(write(go[1], "x", 1), 1);
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(collect(pagemap, base, end, found, 4, &count, &walked), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(found[0].start, base + 7 * PAGE);
    CHECK_EQUAL(bytes_at(base)[5 * PAGE], 1);
    for (int i = 0; i < 2; i++) {
        close(go[i]);
        close(ready[i]);
    }
    CHECK_EQUAL(sn_uffd_unregister(uffd, base, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

static void any_of_several_categories_will_do(int32_t pagemap)
{
    uint64_t base = map_pages(), count = 0, walked = 0;
    struct sn_page_region found[4];
    bytes_at(base)[2 * PAGE] = 1;
    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, base + PAGES * PAGE, 0, 0, SN_PAGE_PRESENT | SN_PAGE_SWAPPED,
                                0, found, 4, &count, &walked),
                0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(found[0].start, base + 2 * PAGE);
    CHECK_EQUAL(found[0].end, base + 3 * PAGE);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

/* The same by the entries of the pagemap, which every kernel has. */
static void entries_tell_what_a_scan_tells(int32_t pagemap)
{
    uint64_t base = map_pages(), end = base + PAGES * PAGE, count = 0, walked = 0;
    const uint64_t memory = SN_PAGE_PRESENT | SN_PAGE_SWAPPED;
    struct sn_page_region found[4];
    bytes_at(base)[2 * PAGE] = 1;
    bytes_at(base)[3 * PAGE] = 1;
    bytes_at(base)[9 * PAGE] = 1;
    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, 0, 0, memory, SN_SCAN_ENTRIES, found, 4, &count, &walked),
                0);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(found[0].start, base + 2 * PAGE);
    CHECK_EQUAL(found[0].end, base + 4 * PAGE);
    CHECK_EQUAL(found[1].start, base + 9 * PAGE);
    CHECK_EQUAL(found[1].end, base + 10 * PAGE);
    CHECK_EQUAL(walked, end);

    /* Where the buffer is full it stops at the run that it has no room for. */
    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, 0, 0, memory, SN_SCAN_ENTRIES, found, 1, &count, &walked),
                0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(walked, base + 9 * PAGE);

    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, 0, memory, 0, SN_SCAN_ENTRIES, found, 4, &count, &walked),
                0);
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(found[1].start, base + 4 * PAGE);
    CHECK_EQUAL(found[1].end, base + 9 * PAGE);
    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, SN_PAGE_WRITTEN, 0, 0, SN_SCAN_ENTRIES, found, 4, &count,
                                &walked),
                EINVAL);
    CHECK_EQUAL(sn_pagemap_scan(-1, base, end, 0, 0, memory, SN_SCAN_ENTRIES, found, 4, &count, &walked),
                EBADF);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

/* Where the kernel was built with it: exactly what was written since is marked. */
static void soft_dirty_marks_what_was_written(int32_t pagemap)
{
    uint64_t base = map_pages(), end = base + PAGES * PAGE, count = 0, walked = 0;
    struct sn_page_region found[4];
    int32_t fd = -1;
    CHECK_EQUAL(sn_soft_dirty_clear(-1), EBADF);
    CHECK_EQUAL(sn_soft_dirty_open(&fd), 0);
    for (uint64_t page = 0; page < PAGES; page++)
        bytes_at(base)[page * PAGE] = 1;
    CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, SN_PAGE_SOFT_DIRTY, 0, 0, SN_SCAN_ENTRIES, found, 4,
                                &count, &walked),
                0);
    if (count == 0) {
        printf("track: no soft-dirty bits here\n");
    } else {
        CHECK_EQUAL(sn_soft_dirty_clear(fd), 0);
        bytes_at(base)[5 * PAGE] = 2;
        CHECK_EQUAL(sn_pagemap_scan(pagemap, base, end, SN_PAGE_SOFT_DIRTY, 0, 0, SN_SCAN_ENTRIES, found, 4,
                                    &count, &walked),
                    0);
        CHECK_EQUAL(count, 1);
        CHECK_EQUAL(found[0].start, base + 5 * PAGE);
        CHECK_EQUAL(found[0].end, base + 6 * PAGE);
    }
    CHECK_EQUAL(sn_close(fd), 0);
    CHECK_EQUAL(sn_memory_release(base, PAGES * PAGE), 0);
}

static void what_the_kernel_refuses_is_an_errno(int32_t uffd, int32_t pagemap)
{
    uint64_t count = 7, walked = 7;
    struct sn_page_region found[1];
    int32_t fd = 7;
    CHECK_EQUAL(sn_uffd_open(1, UINT64_C(1) << 63, &fd), EINVAL);
    CHECK_EQUAL(fd, 7);
    CHECK_EQUAL(sn_uffd_register_wp(uffd, TEST_BASE + 1, PAGE), EINVAL);
    CHECK_EQUAL(sn_uffd_unregister(uffd, TEST_BASE + 1, PAGE), EINVAL);
    CHECK(sn_uffd_protect(uffd, TEST_BASE, PAGE, 1) != 0);
    CHECK_EQUAL(sn_uffd_register_wp(-1, TEST_BASE, PAGE), EBADF);
    CHECK_EQUAL(collect(pagemap, TEST_BASE + 1, TEST_BASE + PAGE, found, 1, &count, &walked), EINVAL);
    CHECK_EQUAL(count, 7);
    CHECK_EQUAL(walked, 7);
}

void test_track(void)
{
    int32_t uffd = -1, pagemap = -1;
    CHECK_EQUAL(sn_close(-1), EBADF);
    CHECK_EQUAL(sn_pagemap_open(&pagemap), 0);
    entries_tell_what_a_scan_tells(pagemap);
    soft_dirty_marks_what_was_written(pagemap);
    int32_t error = sn_uffd_open(1, WP_UNPOPULATED | WP_ASYNC, &uffd);
    if (error != 0) {
        /* An older kernel, or a container that forbids the call: the library then tracks by content. */
        printf("track: no write-protect tracking here (errno %d)\n", error);
    } else {
        written_pages_are_reported_once(uffd, pagemap);
        a_scan_stops_where_its_buffer_is_full(uffd, pagemap);
        a_forked_child_changes_nothing(uffd, pagemap);
        any_of_several_categories_will_do(pagemap);
        what_the_kernel_refuses_is_an_errno(uffd, pagemap);
        CHECK_EQUAL(sn_close(uffd), 0);
    }
    CHECK_EQUAL(sn_close(pagemap), 0);
}
