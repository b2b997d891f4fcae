/*
 * fill_test.c: pages of a file come when they are touched, what is given up does not come, and damage is
 * told. In C so that the sanitizers see it.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "../fill.h"

#define WP_UNPOPULATED (UINT64_C(1) << 13) /* UFFD_FEATURE_WP_UNPOPULATED, Linux 6.4 */
#define WP_ASYNC (UINT64_C(1) << 15)       /* UFFD_FEATURE_WP_ASYNC, Linux 6.7 */
#define BLOCKS 4u
#define BLOCK_PAGES 8u
#define PAGES (BLOCKS * BLOCK_PAGES)

/*
 * A file of plain blocks, which lie in it in an order of its own, and of which pages go to two runs of memory
 * in the opposite order, with a gap of two pages.
 */
struct fixture {
    struct sn_fill fill;
    struct sn_fill_image image;
    struct sn_fill_block blocks[BLOCKS];
    struct sn_fill_run runs[2];
    uint32_t by_address[2];
    uint32_t order[BLOCKS];
    struct sn_fill_range range;
    uint64_t hashes[2 * PAGES];
    uint64_t base;
    char path[64];
    pthread_t server;
};

static unsigned char content_of(uint64_t ordinal)
{
    return (unsigned char)(ordinal * 7 + 1);
}

/* Where the page with an ordinal lies: the second half of the file first, then a gap, then the first half. */
static uint64_t address_of(const struct fixture *f, uint64_t ordinal)
{
    uint64_t page = ordinal >= PAGES / 2 ? ordinal - PAGES / 2 : ordinal + PAGES / 2 + 2;
    return f->base + page * PAGE;
}

static void make_file(struct fixture *f)
{
    static unsigned char block[BLOCK_PAGES * PAGE];
    snprintf(f->path, sizeof f->path, "/tmp/snapshot-fill-test-%d", (int)getpid());
    f->image = (struct sn_fill_image){.name = f->path, .fd = open(f->path, O_RDWR | O_CREAT | O_TRUNC, 0600)};
    CHECK(f->image.fd >= 0);
    static const uint32_t in_file[BLOCKS] = {2, 0, 1, 3};
    for (uint32_t place = 0; place < BLOCKS; place++) {
        uint32_t i = f->order[place] = in_file[place];
        for (uint32_t page = 0; page < BLOCK_PAGES; page++)
            memset(block + page * PAGE, content_of(i * BLOCK_PAGES + page), PAGE);
        CHECK_EQUAL(pwrite(f->image.fd, block, sizeof block, (off_t)(place * sizeof block)), sizeof block);
        f->blocks[i] = (struct sn_fill_block){
            .offset = place * sizeof block,
            .checksum = i % 2 == 0
                            ? sn_checksum(block, sizeof block)
                            : sn_pages_checksum(block, BLOCK_PAGES, (uint64_t[2 * IMAGE_BLOCK_PAGES]){0}),
            .encoding = i % 2 == 0 ? PLAIN : PLAIN_BY_PAGE,
            .ordinal = i * BLOCK_PAGES,
            .wanted = (1u << BLOCK_PAGES) - 1,
            .stored = sizeof block,
            .run = i < BLOCKS / 2 ? 0 : 1,
            .number = i,
            .pages = BLOCK_PAGES,
        };
    }
}

static void *serve(void *fill)
{
    CHECK_EQUAL(sn_fill_serve(fill), 0);
    return NULL;
}

/* 0: no userfaultfd here. */
static int set_up(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    if (sn_uffd_open(1, WP_UNPOPULATED | WP_ASYNC, &f->fill.uffd) != 0)
        return 0;
    CHECK_EQUAL(sn_memory_reserve_anywhere(HUGE_PAGE, &f->base), 0);
    CHECK_EQUAL(sn_memory_commit(f->base, HUGE_PAGE), 0);
    CHECK_EQUAL(sn_uffd_register_missing(f->fill.uffd, f->base, HUGE_PAGE), 0);
    CHECK_EQUAL(sn_event_open(&f->fill.stop), 0);
    make_file(f);
    for (uint32_t run = 0; run < 2; run++) {
        f->runs[run] = (struct sn_fill_run){
            .address = address_of(f, run * PAGES / 2),
            .ordinal = run * PAGES / 2,
            .hashes = (uint64_t)(uintptr_t)&f->hashes[run * PAGES],
            .pages = PAGES / 2,
            .block = run * BLOCKS / 2,
        };
        f->by_address[run] = 1 - run;
    }
    f->range = (struct sn_fill_range){.start = f->base, .end = f->base + HUGE_PAGE};
    f->fill.images = &f->image;
    f->fill.blocks = f->blocks;
    f->fill.runs = f->runs;
    f->fill.by_address = f->by_address;
    f->fill.order = f->order;
    f->fill.ranges = &f->range;
    f->fill.block_count = f->fill.remaining = BLOCKS;
    f->fill.run_count = 2;
    f->fill.range_count = 1;
    CHECK_EQUAL(pthread_create(&f->server, NULL, serve, &f->fill), 0);
    while (__atomic_load_n(&f->fill.serving, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    return 1;
}

static void tear_down(struct fixture *f)
{
    CHECK_EQUAL(sn_event_signal(f->fill.stop), 0);
    CHECK_EQUAL(pthread_join(f->server, NULL), 0);
    CHECK_EQUAL(sn_memory_release(f->base, HUGE_PAGE), 0);
    CHECK_EQUAL(sn_close(f->fill.uffd), 0);
    CHECK_EQUAL(sn_close(f->fill.stop), 0);
    CHECK_EQUAL(sn_close(f->image.fd), 0);
    CHECK_EQUAL(unlink(f->path), 0);
}

static void check_page(const struct fixture *f, uint64_t ordinal)
{
    uint64_t hash[2];
    unsigned char page[PAGE];
    CHECK_EQUAL(bytes_at(address_of(f, ordinal))[17], content_of(ordinal));
    memcpy(page, (const void *)(uintptr_t)address_of(f, ordinal), PAGE);
    sn_page_hash(page, hash);
    CHECK(memcmp(hash, &f->hashes[2 * ordinal], sizeof hash) == 0);
}

static void pages_come_when_they_are_touched(void)
{
    static struct fixture f;
    if (!set_up(&f))
        return;
    check_page(&f, 3 * BLOCK_PAGES + 2);
    while (__atomic_load_n(&f.fill.remaining, __ATOMIC_SEQ_CST) != BLOCKS - 1)
        sched_yield(); /* its pages come before the block is done */
    CHECK_EQUAL(f.fill.pages, BLOCK_PAGES);
    CHECK_EQUAL(f.blocks[3].state, SN_FILL_DONE);
    CHECK_EQUAL(bytes_at(f.base + PAGES / 2 * PAGE)[5], 0); /* the gap */
    CHECK_EQUAL(bytes_at(f.base + HUGE_PAGE - 1)[0], 0);
    CHECK_EQUAL(sn_fill_fetch(&f.fill, address_of(&f, 0), PAGE), 0);
    CHECK_EQUAL(f.fill.remaining, BLOCKS - 2);
    CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
    CHECK_EQUAL(f.fill.remaining, 0);
    for (uint64_t ordinal = 0; ordinal < PAGES; ordinal++)
        check_page(&f, ordinal);
    CHECK_EQUAL(f.fill.pages, PAGES);
    tear_down(&f);
}

static void pages_arrive_unwritten(void)
{
    static struct fixture f;
    if (!set_up(&f))
        return;
    int32_t pagemap = -1;
    struct sn_page_region found[4];
    uint64_t count = 9, walked = 0;
    CHECK_EQUAL(sn_pagemap_open(&pagemap), 0);
    CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
    CHECK_EQUAL(sn_pagemap_scan(pagemap, f.base, f.base + HUGE_PAGE, SN_PAGE_WRITTEN, 0, SN_PAGE_PRESENT,
                                SN_SCAN_PROTECT, found, 4, &count, &walked),
                0);
    CHECK_EQUAL(count, 0);
    bytes_at(address_of(&f, 5))[0] = 1;
    bytes_at(f.base + 100 * PAGE)[0] = 1; /* one that was in no image */
    CHECK_EQUAL(sn_pagemap_scan(pagemap, f.base, f.base + HUGE_PAGE, SN_PAGE_WRITTEN, 0, SN_PAGE_PRESENT,
                                SN_SCAN_PROTECT, found, 4, &count, &walked),
                0);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(found[0].start, address_of(&f, 5));
    CHECK_EQUAL(found[0].end - found[0].start, PAGE);
    CHECK_EQUAL(found[1].start, f.base + 100 * PAGE);
    CHECK_EQUAL(found[1].end - found[1].start, PAGE);
    CHECK_EQUAL(sn_close(pagemap), 0);
    tear_down(&f);
}

static void what_is_given_up_does_not_come(void)
{
    static struct fixture f;
    if (!set_up(&f))
        return;
    check_page(&f, 0);
    for (int when = 0; when < 2; when++) {
        /* One page that has come, and five that have not, of two blocks. */
        uint64_t from = address_of(&f, BLOCK_PAGES - 1), bytes = 6 * PAGE;
        CHECK_EQUAL(sn_fill_forget(&f.fill, from, bytes), 0);
        CHECK_EQUAL(sn_memory_discard(from, bytes), 0);
        CHECK_EQUAL(sn_uffd_wake(f.fill.uffd, from, bytes), 0);
        CHECK_EQUAL(bytes_at(from)[1], 0);
        CHECK_EQUAL(bytes_at(from + 3 * PAGE)[1], 0);
        if (when == 0)
            CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
        for (uint64_t page = 0; page < 6; page++)
            CHECK_EQUAL(bytes_at(from + page * PAGE)[1], 0);
    }
    check_page(&f, BLOCK_PAGES - 2);
    check_page(&f, BLOCK_PAGES + 5);
    CHECK_EQUAL(f.fill.pages, PAGES - 5);
    tear_down(&f);
}

static void damage_is_told(void)
{
    static struct fixture f;
    if (!set_up(&f))
        return;
    f.fill.lenient = 1;
    f.blocks[1].checksum ^= 1;
    CHECK_EQUAL(bytes_at(address_of(&f, BLOCK_PAGES))[0], 0);
    CHECK_EQUAL(f.fill.failed, 1);
    CHECK_EQUAL(f.fill.failed_block, 1);
    CHECK_EQUAL(f.fill.failed_kind, SN_FILL_CHECKSUM);
    CHECK_EQUAL(f.blocks[1].state, SN_FILL_FAILED);
    CHECK_EQUAL(sn_fill_fetch(&f.fill, f.base, HUGE_PAGE), EIO);
    CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
    check_page(&f, 2 * BLOCK_PAGES);
    tear_down(&f);
}

static void *write_pages(void *fixture)
{
    struct fixture *f = fixture;
    for (uint64_t ordinal = 0; ordinal < PAGES; ordinal++) {
        CHECK_EQUAL(bytes_at(address_of(f, ordinal))[1], content_of(ordinal));
        bytes_at(address_of(f, ordinal))[2] = 99;
    }
    return NULL;
}

static void threads_wait_for_the_same_pages_while_they_stream_in(void)
{
    for (int round = 0; round < 20; round++) {
        static struct fixture f;
        pthread_t writers[3];
        if (!set_up(&f))
            return;
        for (int i = 0; i < 3; i++)
            CHECK_EQUAL(pthread_create(&writers[i], NULL, write_pages, &f), 0);
        CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQUAL(pthread_join(writers[i], NULL), 0);
        CHECK_EQUAL(f.fill.remaining, 0);
        for (uint64_t ordinal = 0; ordinal < PAGES; ordinal++)
            CHECK_EQUAL(bytes_at(address_of(&f, ordinal))[2], 99);
        tear_down(&f);
    }
}

static void a_fill_that_is_closed_or_stopped_fetches_nothing(void)
{
    static struct fixture f;
    if (!set_up(&f))
        return;
    CHECK_EQUAL(sn_fill_stop_streaming(&f.fill), 0);
    CHECK_EQUAL(sn_fill_stream(&f.fill), 0);
    CHECK_EQUAL(f.fill.remaining, BLOCKS);
    CHECK_EQUAL(sn_memory_seal(f.base, HUGE_PAGE), 0);
    CHECK_EQUAL(sn_fill_close(&f.fill), 0);
    CHECK_EQUAL(f.fill.remaining, BLOCKS);
    tear_down(&f);
}

void test_fill(void)
{
    pages_come_when_they_are_touched();
    pages_arrive_unwritten();
    what_is_given_up_does_not_come();
    damage_is_told();
    threads_wait_for_the_same_pages_while_they_stream_in();
    a_fill_that_is_closed_or_stopped_fetches_nothing();
}
