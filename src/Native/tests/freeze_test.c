/*
 * freeze_test.c: what is frozen is delivered as it was, whoever writes meanwhile, with slots enough and with
 * too few; writes are noted; sweeps are opened ahead. In C so that the sanitizers see it.
 */
#include "freeze_fixture.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

#include "../slots.h"

static void first_collect_finds_what_has_memory(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    write_page(3, 1);
    write_page(5 * SN_SPAN_PAGES + 7, 2);
    CHECK(capture(f) >= 2);
    CHECK((f->changed[0] & 8) != 0);
    CHECK((f->changed[5 * SPAN_WORDS] & 128) != 0);
    CHECK_EQUAL(f->changed[2 * SPAN_WORDS], 0);
    expect(f, 3, 1);
    expect(f, 5 * SN_SPAN_PAGES + 7, 2);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    CHECK_EQUAL(capture(f), 0);
    write_page(9, 4); /* all of a span: it has memory now, if only by huge pages */
    CHECK(capture(f) >= 1);
    CHECK((f->changed[0] & 512) != 0);
    tear_down(f);
}

static void frozen_content_outlives_a_write(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    write_pattern(0, PAGES);
    CHECK_EQUAL(capture(f), PAGES);
    for (uint64_t page = 0; page < PAGES; page += 3)
        write_page(page, 0xFF);
    CHECK(f->freezer.copied >= PAGES / 3);
    expect_pattern(f, 0, PAGES);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    give_slots(f, SPANS);
    CHECK_EQUAL(capture(f), PAGES);
    expect(f, 3, 0xFF);
    expect(f, 4, 5);
    CHECK_EQUAL(f->orders[0], 1);
    tear_down(f);
}

/*
 * The collect of the pause finds what is written after that; the order of first writes is that of the
 * interval.
 */
static void what_was_collected_early_is_not_collected_again(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 1);
    CHECK_EQUAL(capture(f), PAGES);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    write_page(4 * SN_SPAN_PAGES, 2);
    write_page(2 * SN_SPAN_PAGES, 2);
    uint64_t before = f->freezer.faults;
    collect_early(f);
    CHECK_EQUAL(f->region.changed_first, 2);
    CHECK_EQUAL(f->region.changed_end, 5);
    write_page(2 * SN_SPAN_PAGES + 9, 3);
    write_page(8 * SN_SPAN_PAGES, 3);
    CHECK_EQUAL(f->freezer.faults - before, 2);
    CHECK_EQUAL(capture(f), 3 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->region.changed_first, 2);
    CHECK_EQUAL(f->region.changed_end, 9);
    CHECK_EQUAL(f->orders[4], 1);
    CHECK_EQUAL(f->orders[2], 2);
    CHECK_EQUAL(f->orders[8], 3);
    expect(f, 4 * SN_SPAN_PAGES, 2);
    expect(f, 2 * SN_SPAN_PAGES, 2);
    expect(f, 2 * SN_SPAN_PAGES + 9, 3);
    expect(f, 8 * SN_SPAN_PAGES, 3);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    CHECK_EQUAL(capture(f), 0);
    tear_down(f);
}

static void what_is_discarded_is_secured_before(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < 2 * SN_SPAN_PAGES; page++)
        write_page(page, 7);
    CHECK(capture(f) >= 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(sn_region_secure(&f->freezer, &f->region, 10, 700), 0);
    CHECK_EQUAL(sn_memory_discard(TEST_BASE + 10 * PAGE, 700 * PAGE), 0);
    write_page(20, 9);
    for (uint64_t page = 0; page < 2 * SN_SPAN_PAGES; page++)
        expect(f, page, 7);
    CHECK_EQUAL(sn_region_disarm(&f->freezer, &f->region, 10, 700), 0);
    give_slots(f, SPANS);
    CHECK(capture(f) >= 1);
    CHECK((f->changed[0] & (1u << 20)) != 0);
    CHECK((f->changed[0] & (1u << 21)) == 0); /* discarded and not written since: no memory */
    expect(f, 20, 9);
    tear_down(f);
}

/* A page that has no memory at the capture is zero in it, whatever is written later. */
static void memory_that_was_not_there_is_zero(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    memset(f->changed, 0xFF, sizeof f->changed);
    CHECK_EQUAL(sn_region_freeze(&f->freezer, &f->region, PAGES, f->changed), 0);
    write_page(100, 3);
    expect(f, 100, 0);
    tear_down(f);
}

/* What a write opens of memory that is not there is not armed by the next collect, and written unseen. */
static void holes_in_a_span_are_found_when_they_are_written(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < SN_SPAN_PAGES; page++)
        write_page(page, 1);
    CHECK_EQUAL(capture(f), SN_SPAN_PAGES);
    CHECK_EQUAL(sn_region_secure(&f->freezer, &f->region, 100, 50), 0);
    CHECK_EQUAL(sn_memory_discard(TEST_BASE + 100 * PAGE, 50 * PAGE), 0);
    CHECK_EQUAL(sn_region_disarm(&f->freezer, &f->region, 100, 50), 0);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    write_page(3, 2); /* opens all of the span */
    give_slots(f, SPANS);
    CHECK_EQUAL(capture(f), SN_SPAN_PAGES - 50);
    write_page(120, 3);
    expect(f, 120, 0);
    expect(f, 3, 2);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    give_slots(f, SPANS);
    CHECK_EQUAL(capture(f), 1);
    expect(f, 120, 3);
    tear_down(f);
}

/*
 * A span with copies of two sizes, one taken for need: each extent is returned when its own pages are read.
 */
static void extents_of_several_sizes_in_a_span_are_all_returned(struct fixture *f)
{
    if (!set_up(f, 1))
        return;
    write_pattern(0, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(capture(f), 2 * SN_SPAN_PAGES);
    write_page(0, 0xFF);
    write_page(SN_SPAN_PAGES + 40, 0xFF); /* nobody reads, and there is one extent: 16 pages, by need */
    CHECK_EQUAL(f->freezer.copied, SN_SPAN_PAGES + 16);
    CHECK_EQUAL(f->freezer.slots.need, 16);
    expect_pattern(f, 0, SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    /* and what is left of the span, in the extent that came back */
    write_page(2 * SN_SPAN_PAGES - 1, 0xFF);
    CHECK_EQUAL(f->freezer.copied, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.used, SN_SPAN_PAGES);
    expect_pattern(f, SN_SPAN_PAGES, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    tear_down(f);
}

static void sweeps_are_opened_ahead(struct fixture *f)
{
    if (!set_up(f, 2 * SPANS))
        return;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 1);
    CHECK_EQUAL(capture(f), PAGES);
    uint64_t before = f->freezer.faults;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 2);
    CHECK(f->freezer.faults - before <= SPANS);
    CHECK(f->freezer.opened_ahead > 0);
    for (uint64_t page = 0; page < PAGES; page++)
        expect(f, page, 1);
    tear_down(f);
}

static void *read_all_slowly(void *fixture)
{
    struct fixture *f = fixture;
    expect_pattern(f, 0, PAGES);
    return NULL;
}

/* One extent for sixteen spans: writers wait for the reader, or get what is behind the limit. */
static void too_few_slots_slow_writers_down(struct fixture *f)
{
    if (!set_up(f, 1))
        return;
    write_pattern(0, PAGES);
    CHECK_EQUAL(capture(f), PAGES);
    write_page(0, 0xFF);
    write_page(SN_SPAN_PAGES, 0xFF); /* nobody reads: it gets through by need */
    CHECK(f->freezer.waits > 0);
    CHECK(f->freezer.slots.need > 0);
    pthread_t reader;
    CHECK_EQUAL(pthread_create(&reader, NULL, read_all_slowly, f), 0);
    for (uint64_t page = 0; page < PAGES; page += 5)
        write_page(page, 0xFF);
    CHECK_EQUAL(pthread_join(reader, NULL), 0);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    tear_down(f);
}

/* ---- a kernel that gives no memory --------------------------------------------------------------------- */

struct told {
    pthread_t thread;
    struct fixture *fixture;
    sem_t go;
};

static struct told s_reader, s_writer;

static void *read_when_told(void *unused)
{
    (void)unused;
    CHECK_EQUAL(sem_wait(&s_reader.go), 0);
    return read_all_slowly(s_reader.fixture);
}

static void *write_when_told(void *unused)
{
    (void)unused;
    CHECK_EQUAL(sem_wait(&s_writer.go), 0);
    for (uint64_t page = 0; page < PAGES; page += 3)
        write_page(page, 0xFF);
    return NULL;
}

/* As at a limit: nothing can be committed where nothing is mapped. No slot is had or lost by it: writers wait
 * for the reader. */
static void a_kernel_that_commits_nothing_slows_writers_down(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    write_pattern(0, PAGES);
    CHECK_EQUAL(capture(f), PAGES);
    s_reader.fixture = s_writer.fixture = f;
    CHECK_EQUAL(sem_init(&s_reader.go, 0, 0), 0);
    CHECK_EQUAL(sem_init(&s_writer.go, 0, 0), 0);
    CHECK_EQUAL(pthread_create(&s_reader.thread, NULL, read_when_told, NULL), 0);
    CHECK_EQUAL(pthread_create(&s_writer.thread, NULL, write_when_told, NULL), 0);
    uint64_t base = f->freezer.slots.base, hole;
    CHECK_EQUAL(sn_memory_reserve_anywhere(((uint64_t)SPANS + 1) * HUGE_PAGE, &hole), 0);
    CHECK_EQUAL(sn_memory_release(hole, ((uint64_t)SPANS + 1) * HUGE_PAGE), 0);
    f->freezer.slots.base = hole;
    CHECK_EQUAL(sem_post(&s_writer.go), 0);
    while (__atomic_load_n(&f->freezer.waits, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    CHECK_EQUAL(sem_post(&s_reader.go), 0);
    CHECK_EQUAL(pthread_join(s_reader.thread, NULL), 0);
    CHECK_EQUAL(pthread_join(s_writer.thread, NULL), 0);
    f->freezer.slots.base = base;
    CHECK_EQUAL(f->freezer.copied, 0);
    CHECK_EQUAL(f->freezer.slots.committed, 0);
    CHECK_EQUAL(f->freezer.slots.extra_committed, 0);
    CHECK_EQUAL(f->freezer.slots.fresh, 0);
    CHECK_EQUAL(f->freezer.slots.need, 0);

    /* With memory again there are slots again, the first of them. */
    CHECK(capture(f) > 0);
    write_page(0, 1);
    CHECK_EQUAL(f->freezer.slots.used, SN_SPAN_PAGES);
    CHECK(f->freezer.slots.committed >= SN_SPAN_PAGES);
    expect(f, 0, 0xFF);
    tear_down(f);
}

/* ---- memory that is dear ------------------------------------------------------------------------------- */

static void *write_span_1(void *unused)
{
    (void)unused;
    write_page(SN_SPAN_PAGES, 0xFF);
    return NULL;
}

/*
 * Two spans are frozen, the first is copied to the one extent that has memory, and somebody writes the
 * second.
 */
static pthread_t begin_write_with_dear_memory(struct fixture *f, uint64_t fresh_ns)
{
    write_pattern(0, 2 * SN_SPAN_PAGES);
    f->freezer.slots.resident = SN_SPAN_PAGES;
    CHECK_EQUAL(capture(f), 2 * SN_SPAN_PAGES);
    write_page(0, 0xFF);
    CHECK_EQUAL(f->freezer.slots.fresh, SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.copy_ns[1], 0);
    CHECK(f->freezer.slots.copy_ns[0] > 0);
    f->freezer.slots.copy_ns[0] = 1000;
    f->freezer.slots.copy_ns[1] = fresh_ns;
    CHECK(sn_slots_fresh_is_dear(&f->freezer.slots));
    pthread_t writer;
    CHECK_EQUAL(pthread_create(&writer, NULL, write_span_1, NULL), 0);
    while (__atomic_load_n(&f->freezer.slots.waiting, __ATOMIC_SEQ_CST) == 0 &&
           __atomic_load_n(&f->freezer.waits, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    return writer;
}

#define AN_HOUR_NS (UINT64_C(3600) * 1000000000)

/* A write waits for memory that was used before, and takes it as soon as it is returned. */
static void dear_memory_is_not_taken_where_some_is_returned(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    pthread_t writer = begin_write_with_dear_memory(f, AN_HOUR_NS);
    expect_pattern(f, 0, SN_SPAN_PAGES);
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    CHECK_EQUAL(f->freezer.copied, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.fresh, SN_SPAN_PAGES);
    expect_pattern(f, SN_SPAN_PAGES, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    tear_down(f);
}

/* What is read while a write waits needs no copy any more. */
static void who_waits_for_memory_is_let_through_when_the_span_was_read(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    pthread_t writer = begin_write_with_dear_memory(f, AN_HOUR_NS);
    expect_pattern(f, SN_SPAN_PAGES, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    CHECK_EQUAL(f->freezer.copied, SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.fresh, SN_SPAN_PAGES);
    expect(f, 0, 1);
    tear_down(f);
}

/* Where nothing is returned in a quarter of what fresh memory costs more, the write takes fresh memory. */
static void dear_memory_is_taken_where_none_is_returned(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    CHECK_EQUAL(pthread_join(begin_write_with_dear_memory(f, 80000000), NULL), 0);
    CHECK_EQUAL(f->freezer.waits, 1);
    CHECK(f->freezer.wait_ns >= 19000000);
    CHECK_EQUAL(f->freezer.slots.fresh, 2 * SN_SPAN_PAGES);
    CHECK_EQUAL(f->freezer.slots.need, 0);
    CHECK(f->freezer.slots.copy_ns[1] != 80000000);
    expect(f, 0, 1);
    expect(f, SN_SPAN_PAGES, SN_SPAN_PAGES % 251 + 1);
    tear_down(f);
}

/* ---- many writers, many captures ----------------------------------------------------------------------- */

struct writer {
    pthread_t thread;
    uint32_t index;
    volatile uint64_t *stop;
    volatile uint64_t *gate; /* odd: writers stand still */
    volatile uint64_t *parked;
    volatile uint64_t *clock; /* goes up with every capture; is what is written */
};

#define WRITERS 4u

static void *write_randomly(void *argument)
{
    struct writer *w = argument;
    uint64_t state = w->index * 7919 + 1;
    while (!__atomic_load_n(w->stop, __ATOMIC_SEQ_CST)) {
        if (__atomic_load_n(w->gate, __ATOMIC_SEQ_CST) & 1) {
            __atomic_add_fetch(w->parked, 1, __ATOMIC_SEQ_CST);
            while (__atomic_load_n(w->gate, __ATOMIC_SEQ_CST) & 1)
                sched_yield();
            __atomic_sub_fetch(w->parked, 1, __ATOMIC_SEQ_CST);
        }
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t page = (state >> 33) % PAGES / WRITERS * WRITERS + w->index;
        uint64_t now = __atomic_load_n(w->clock, __ATOMIC_SEQ_CST);
        volatile uint64_t *words = (volatile uint64_t *)(uintptr_t)(TEST_BASE + page * PAGE);
        words[0] = now;
        words[PAGE / 8 - 1] = now;
    }
    return NULL;
}

/* No page that a capture delivers was written after it, and each is what it was at the capture. */
static void no_byte_is_from_later(struct fixture *f, uint32_t extents)
{
    static uint64_t stamps[PAGES]; /* what the reader knows of each page */
    static uint64_t stop, gate, parked, clock;
    if (!set_up(f, extents))
        return;
    stop = gate = parked = 0;
    clock = 1;
    memset(stamps, 0, sizeof stamps);
    struct writer writers[WRITERS];
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){.index = i, .stop = &stop, .gate = &gate, .parked = &parked, .clock = &clock};
        CHECK_EQUAL(pthread_create(&writers[i].thread, NULL, write_randomly, &writers[i]), 0);
    }
    for (uint32_t round = 0; round < 30; round++) {
        if (round % 2 == 1)
            collect_early(f);
        __atomic_add_fetch(&gate, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&parked, __ATOMIC_SEQ_CST) < WRITERS)
            sched_yield();
        give_slots(f, extents);
        capture(f);
        for (uint64_t page = 0; page < PAGES; page++)
            stamps[page] = *(volatile uint64_t *)(uintptr_t)(TEST_BASE + page * PAGE);
        __atomic_add_fetch(&clock, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&gate, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&parked, __ATOMIC_SEQ_CST) > 0)
            sched_yield();
        for (uint64_t page = 0; page < PAGES; page++) {
            if ((f->changed[page / WORD_PAGES] >> page % WORD_PAGES & 1) == 0)
                continue;
            CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, page * PAGE, PAGE, 0, f->page), 0);
            uint64_t first, last;
            memcpy(&first, f->page, 8);
            memcpy(&last, f->page + PAGE - 8, 8);
            CHECK_EQUAL(first, stamps[page]);
            CHECK_EQUAL(last, stamps[page]);
        }
        CHECK_EQUAL(f->freezer.slots.used, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < WRITERS; i++)
        CHECK_EQUAL(pthread_join(writers[i].thread, NULL), 0);
    tear_down(f);
}

static void test_all(void)
{
    static struct fixture fixture;
    first_collect_finds_what_has_memory(&fixture);
    frozen_content_outlives_a_write(&fixture);
    what_was_collected_early_is_not_collected_again(&fixture);
    what_is_discarded_is_secured_before(&fixture);
    memory_that_was_not_there_is_zero(&fixture);
    holes_in_a_span_are_found_when_they_are_written(&fixture);
    extents_of_several_sizes_in_a_span_are_all_returned(&fixture);
    if (!s_by_signals)
        sweeps_are_opened_ahead(&fixture);
    too_few_slots_slow_writers_down(&fixture);
    if (!s_by_signals) /* a handler does not wait for ever: signal_test.c */
        a_kernel_that_commits_nothing_slows_writers_down(&fixture);
    dear_memory_is_not_taken_where_some_is_returned(&fixture);
    who_waits_for_memory_is_let_through_when_the_span_was_read(&fixture);
    dear_memory_is_taken_where_none_is_returned(&fixture);
    no_byte_is_from_later(&fixture, SPANS);
    no_byte_is_from_later(&fixture, 2);
}

void test_freeze(void)
{
    int32_t pagemap = -1;
    uint64_t count = 0, walked = 0;
    struct sn_page_region found;
    CHECK_EQUAL(sn_pagemap_open(&pagemap), 0);
    uint64_t end = TEST_BASE + PAGE;
    if (sn_pagemap_scan(pagemap, TEST_BASE, end, 0, 0, SN_PAGE_PRESENT, 0, &found, 1, &count, &walked) == 0)
        test_all();
    else
        printf("freeze: no scan here\n");
    CHECK_EQUAL(sn_close(pagemap), 0);
    s_look = SN_SCAN_ENTRIES;
    test_all();

    s_by_signals = 1;
    test_all();
}
