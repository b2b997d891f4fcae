/* freeze_fixture.h: a region, its slots, and whoever serves writes to it, for the tests of freezing. */
#ifndef SNAPSHOT_FREEZE_FIXTURE_H
#define SNAPSHOT_FREEZE_FIXTURE_H

#include "check.h"

#include <pthread.h>
#include <string.h>

#include "../span.h"

#define FEATURES UINT64_C(1) /* UFFD_FEATURE_PAGEFAULT_FLAG_WP */
#define SPANS 16u
#define PAGES (SPANS * SN_SPAN_PAGES)
#define WORDS (PAGES / WORD_PAGES)

struct fixture {
    struct sn_freezer freezer;
    struct sn_region region;
    uint64_t armed[WORDS], written[WORDS], frozen[WORDS], copied[WORDS], changed[WORDS], early[WORDS];
    uint64_t open[WORDS]; /* for devices */
    uint32_t slots[PAGES], orders[SPANS], next[2 * PAGES];
    struct sn_span spans[SPANS];
    int32_t pagemap;
    int32_t look;
    pthread_t servers[2];
    unsigned char page[SN_PAGE_BYTES];
};

/* How the fixture looks for pages with memory: by a scan, or by the pagemap's entries. */
static int32_t s_look;

/* Whether writes are served by a handler of signals, and not by threads. */
static int s_by_signals;

static inline void *serve(void *freezer)
{
    CHECK_EQUAL(sn_freezer_serve(freezer), 0);
    return NULL;
}

/* The slots begin anew: so many extents of a span, and as many pages behind them. */
static inline void give_slots(struct fixture *f, uint32_t extents)
{
    struct sn_slots *slots = &f->freezer.slots;
    slots->limit = extents * SN_SPAN_PAGES;
    slots->extra = SN_SPAN_PAGES;
    slots->committed = slots->extra_committed = 0;
    slots->fresh = slots->need = slots->used = 0;
    memset(slots->heads, 0, sizeof slots->heads);
}

/* 0: no userfaultfd here. */
static inline int set_up(struct fixture *f, uint32_t extents)
{
    memset(f, 0, sizeof *f);
    f->freezer.uffd = SN_BY_SIGNALS;
    if (!s_by_signals && sn_uffd_open(1, FEATURES, &f->freezer.uffd) != 0)
        return 0;
    CHECK_EQUAL(sn_event_open(&f->freezer.stop), 0);
    CHECK_EQUAL(sn_pagemap_open(&f->pagemap), 0);
    f->look = s_look;
    f->region = (struct sn_region){
        .start = TEST_BASE,
        .pages = PAGES,
        .armed = f->armed,
        .written = f->written,
        .frozen = f->frozen,
        .copied = f->copied,
        .slots = f->slots,
        .spans = f->spans,
        .orders = f->orders,
        .end = PAGES,
    };
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_commit(TEST_BASE, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_advise_huge(TEST_BASE, PAGES * PAGE, 1), 0);
    CHECK_EQUAL(sn_memory_reserve_anywhere(((uint64_t)SPANS + 1) * HUGE_PAGE, &f->freezer.slots.base), 0);
    f->freezer.slots.next = f->next;
    give_slots(f, extents);
    CHECK_EQUAL(sn_region_add(&f->freezer, &f->region), 0);
    if (s_by_signals)
        CHECK_EQUAL(sn_freezer_take_signals(&f->freezer), 0);
    for (int i = 0; !s_by_signals && i < 2; i++)
        CHECK_EQUAL(pthread_create(&f->servers[i], NULL, serve, &f->freezer), 0);
    return 1;
}

static inline void tear_down(struct fixture *f)
{
    CHECK_EQUAL(sn_region_remove(&f->freezer, &f->region), 0);
    CHECK_EQUAL(sn_event_signal(f->freezer.stop), 0);
    for (int i = 0; !s_by_signals && i < 2; i++)
        CHECK_EQUAL(pthread_join(f->servers[i], NULL), 0);
    CHECK_EQUAL(sn_close(f->freezer.stop), 0);
    if (s_by_signals)
        CHECK_EQUAL(sn_freezer_leave_signals(&f->freezer), 0);
    else
        CHECK_EQUAL(sn_close(f->freezer.uffd), 0);
    CHECK_EQUAL(sn_close(f->pagemap), 0);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, PAGES * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(f->freezer.slots.base, ((uint64_t)SPANS + 1) * HUGE_PAGE), 0);
}

static inline void write_page(uint64_t page, unsigned char value)
{
    memset((void *)(uintptr_t)(TEST_BASE + page * PAGE), value, PAGE);
}

/* Collects ahead of a capture, beside writers. */
static inline void collect_early(struct fixture *f)
{
    int32_t how = f->look | SN_COLLECT_EARLY;
    CHECK_EQUAL(sn_region_collect(&f->freezer, &f->region, f->pagemap, how, PAGES, f->open, f->early), 0);
}

/*
 * Lets go of what an earlier capture has left, collects, and freezes what was found, now or early; returns
 * how many pages that is. A server that is still opening spans ahead of the last write is held back, or all
 * of those would be copied here.
 */
static inline uint64_t capture(struct fixture *f)
{
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    memcpy(f->changed, f->early, sizeof f->changed);
    memset(f->early, 0, sizeof f->early);
    __atomic_store_n(&f->freezer.held, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(sn_region_collect(&f->freezer, &f->region, f->pagemap, f->look, PAGES, f->open, f->changed),
                0);
    CHECK_EQUAL(sn_region_freeze(&f->freezer, &f->region, PAGES, f->changed), 0);
    __atomic_store_n(&f->freezer.held, 0, __ATOMIC_SEQ_CST);
    uint64_t count = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        count += (uint64_t)__builtin_popcountll(f->changed[i]);
    return count;
}

/* A frozen page, as it is delivered, holds this everywhere. */
static inline void expect(struct fixture *f, uint64_t page, unsigned char value)
{
    memset(f->page, 0xEE, sizeof f->page);
    CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, page * PAGE, PAGE, 0, f->page), 0);
    for (uint32_t i = 0; i < PAGE; i++)
        CHECK_EQUAL(f->page[i], value);
}

/* Gives each page of [first, end) a value of its own, as far as a byte goes. */
static inline void write_pattern(uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end; page++)
        write_page(page, (unsigned char)(page % 251 + 1));
}

/* Frozen pages of [first, end) are delivered with these. */
static inline void expect_pattern(struct fixture *f, uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end; page++)
        expect(f, page, (unsigned char)(page % 251 + 1));
}

#endif
