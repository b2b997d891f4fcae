/*
 * foreign_test.c: frozen memory that is the program's. What it drops, frees, replaces or moves without asking
 * is never delivered for what it was, and the next capture is right again; what it asks for is copied first.
 */
#include "freeze_fixture.h"

#include <errno.h>
#include <sys/mman.h>

#define FIRST 100u /* pages before are somebody else's */
#define END (3 * SN_SPAN_PAGES + 40)

/* 0: nothing of it can be tried here. */
static int set_up_foreign(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return 0;
    CHECK_EQUAL(sn_region_remove(&f->freezer, &f->region), 0);
    f->region.first = FIRST;
    f->region.end = END;
    f->region.foreign = 1;
    f->region.pagemap = f->pagemap;
    CHECK_EQUAL(sn_region_add(&f->freezer, &f->region), 0);
    write_pattern(0, PAGES);
    struct sn_page_region run;
    uint64_t count, walked;
    if (sn_pagemap_scan(f->pagemap, TEST_BASE, TEST_BASE + PAGE, 0, 0, SN_PAGE_PRESENT, 0, &run, 1, &count,
                        &walked) == 0)
        return 1;
    tear_down(f);
    return 0;
}

static uint64_t capture_foreign(struct fixture *f)
{
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, END), 0);
    memset(f->changed, 0, sizeof f->changed);
    __atomic_store_n(&f->freezer.held, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(sn_region_collect(&f->freezer, &f->region, f->pagemap, 0, END, NULL, f->changed), 0);
    CHECK_EQUAL(sn_region_freeze(&f->freezer, &f->region, END, f->changed), 0);
    __atomic_store_n(&f->freezer.held, 0, __ATOMIC_SEQ_CST);
    give_slots(f, SPANS);
    uint64_t count = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        count += (uint64_t)__builtin_popcountll(f->changed[i]);
    return count;
}

static void *place(uint64_t page)
{
    return (void *)(uintptr_t)(TEST_BASE + page * PAGE);
}

static int32_t read_page(struct fixture *f, uint64_t page)
{
    return sn_region_read(&f->freezer, &f->region, page * PAGE, PAGE, 0, f->page);
}

static void drop(uint64_t page)
{
    CHECK_EQUAL(madvise(place(page), PAGE, MADV_DONTNEED), 0);
}

static void drop_and_write(uint64_t page)
{
    drop(page);
    write_page(page, 7);
}

static void drop_and_look(uint64_t page)
{
    drop(page);
    CHECK_EQUAL(*(volatile unsigned char *)place(page), 0);
}

static void replace(uint64_t page)
{
    CHECK(mmap(place(page), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          place(page));
    write_page(page, 8);
}

static void forbid(uint64_t page)
{
    CHECK_EQUAL(mprotect(place(page), PAGE, PROT_NONE), 0);
}

/* Another protected page of the region comes in its place. */
static void move_over(uint64_t page)
{
    CHECK(mremap(place(page + 1), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place(page)) == place(page));
    CHECK(mmap(place(page + 1), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == place(page + 1));
}

static void (*const s_ways[])(uint64_t page) = {drop,    drop_and_write, drop_and_look,
                                                replace, forbid,         move_over};

#define WAYS (sizeof s_ways / sizeof s_ways[0])

static void give_back(uint64_t page)
{
    CHECK_EQUAL(mprotect(place(page), PAGE, PROT_READ | PROT_WRITE), 0);
    write_page(page, 9);
    write_page(page + 1, 9);
}

/* What came in the place of memory is not protected: it may be anybody's. */
static void register_again(struct fixture *f)
{
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, END), 0);
    CHECK_EQUAL(sn_region_collect(&f->freezer, &f->region, f->pagemap, 0, END, NULL, f->changed), ENOENT);
    CHECK_EQUAL(sn_region_remove(&f->freezer, &f->region), 0);
    CHECK_EQUAL(sn_region_add(&f->freezer, &f->region), 0);
}

/* Each way, before it is read, and before a server copies it for a write beside it. */
static void what_goes_is_lost_and_not_delivered(struct fixture *f)
{
    for (size_t way = 0; way < WAYS; way++) {
        for (int copied = 0; copied < 2; copied++) {
            if (!set_up_foreign(f))
                return;
            uint64_t page = SN_SPAN_PAGES + 17;
            CHECK_EQUAL(capture_foreign(f), END - FIRST);
            CHECK_EQUAL(read_page(f, page - 1), 0);
            CHECK_EQUAL(f->region.gone, 0);
            s_ways[way](page);
            if (copied)
                write_page(page + 9, 3);
            CHECK_EQUAL(read_page(f, page), ESTALE);
            CHECK(f->region.gone != 0);
            /* Of others, too: the image is not to be. */
            CHECK_EQUAL(read_page(f, 2 * SN_SPAN_PAGES), ESTALE);
            give_back(page);
            if (s_ways[way] == replace || s_ways[way] == move_over)
                register_again(f);
            CHECK(capture_foreign(f) >= 1);
            CHECK((f->changed[page / WORD_PAGES] & sn_bits(page, 1)) != 0);
            expect(f, page, 9);
            CHECK_EQUAL(f->region.gone, 0);
            CHECK_EQUAL(capture_foreign(f), 0);
            write_page(page, 10);
            CHECK((capture_foreign(f), f->changed[page / WORD_PAGES] & sn_bits(page, 1)) != 0);
            expect(f, page, 10);
            tear_down(f);
        }
    }
}

/* Between captures: what lost its protection has changed, and so has what is not there any more. */
static void what_goes_between_captures_has_changed(struct fixture *f)
{
    if (!set_up_foreign(f))
        return;
    CHECK_EQUAL(capture_foreign(f), END - FIRST);
    CHECK_EQUAL(capture_foreign(f), 0);
    uint64_t page = 2 * SN_SPAN_PAGES + 5;
    drop(page);
    drop_and_write(page + 2);
    CHECK_EQUAL(capture_foreign(f), 2);
    expect(f, page, 0);
    expect(f, page + 2, 7);
    CHECK_EQUAL(f->region.gone, 0);
    CHECK_EQUAL(capture_foreign(f), 0);
    write_page(page + 4, 1);
    drop(page + 4);
    CHECK(capture_foreign(f) >= 1);
    CHECK((f->changed[(page + 4) / WORD_PAGES] & sn_bits(page + 4, 1)) != 0);
    expect(f, page + 4, 0);
    /* All of a span, page tables included. */
    CHECK_EQUAL(madvise(place(SN_SPAN_PAGES), HUGE_PAGE, MADV_DONTNEED), 0);
    CHECK_EQUAL(capture_foreign(f), SN_SPAN_PAGES);
    expect(f, SN_SPAN_PAGES + 3, 0);
    replace(page);
    register_again(f);
    move_over(page);
    register_again(f);
    CHECK(capture_foreign(f) > 2 * SN_SPAN_PAGES - FIRST);
    tear_down(f);
}

/* What is asked for is copied, and may be anything then. */
static void what_is_secured_may_go(struct fixture *f)
{
    if (!set_up_foreign(f))
        return;
    CHECK_EQUAL(capture_foreign(f), END - FIRST);
    CHECK_EQUAL(sn_region_secure(&f->freezer, &f->region, 0, PAGES), 0);
    CHECK_EQUAL(sn_region_remove(&f->freezer, &f->region), 0);
    CHECK_EQUAL(munmap(place(FIRST), (END - FIRST) * PAGE), 0);
    expect_pattern(f, FIRST, END);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE + FIRST * PAGE, (END - FIRST) * PAGE), 0);
    tear_down(f);
}

static int is_protected(struct fixture *f, uint64_t page)
{
    struct sn_page_region run;
    uint64_t count, walked;
    CHECK_EQUAL(sn_pagemap_scan(f->pagemap, TEST_BASE + page * PAGE, TEST_BASE + (page + 1) * PAGE,
                                SN_PAGE_PRESENT, SN_PAGE_WRITTEN, 0, 0, &run, 1, &count, &walked),
                0);
    return count == 1;
}

/* Two regions that share a span: a write opens what is of its own region alone. */
static void neighbours_in_a_span_are_left_alone(struct fixture *f, struct fixture *other)
{
    if (!set_up_foreign(f))
        return;
    memset(other, 0, sizeof *other);
    other->region = (struct sn_region){
        .start = TEST_BASE + 3 * HUGE_PAGE,
        .pages = SN_SPAN_PAGES,
        .armed = other->armed,
        .written = other->written,
        .frozen = other->frozen,
        .copied = other->copied,
        .slots = other->slots,
        .spans = other->spans,
        .orders = other->orders,
        .first = 40,
        .end = 200,
        .foreign = 1,
        .pagemap = f->pagemap,
    };
    CHECK_EQUAL(sn_region_add(&f->freezer, &other->region), 0);
    CHECK_EQUAL(capture_foreign(f), END - FIRST);
    CHECK_EQUAL(sn_region_collect(&f->freezer, &other->region, f->pagemap, 0, 200, NULL, other->changed), 0);
    CHECK_EQUAL(sn_region_freeze(&f->freezer, &other->region, 200, other->changed), 0);
    CHECK(!is_protected(f, 99) && is_protected(f, 100));
    CHECK(is_protected(f, 3 * SN_SPAN_PAGES + 39) && is_protected(f, 3 * SN_SPAN_PAGES + 40));
    write_page(3 * SN_SPAN_PAGES + 3, 77);
    CHECK(!is_protected(f, 3 * SN_SPAN_PAGES + 39) && is_protected(f, 3 * SN_SPAN_PAGES + 40));
    write_page(3 * SN_SPAN_PAGES + 50, 78);
    CHECK(!is_protected(f, 3 * SN_SPAN_PAGES + 199));
    expect(f, 3 * SN_SPAN_PAGES + 3, (unsigned char)((3 * SN_SPAN_PAGES + 3) % 251 + 1));
    CHECK_EQUAL(sn_region_read(&f->freezer, &other->region, 50 * PAGE, PAGE, 0, f->page), 0);
    CHECK_EQUAL(f->page[0], (3 * SN_SPAN_PAGES + 50) % 251 + 1);
    CHECK_EQUAL(sn_region_remove(&f->freezer, &other->region), 0);
    tear_down(f);
}

/* Where a buffer begins within a page, a page of the image is on two of memory, each read by two. */
static void pages_are_read_in_part_and_kept(struct fixture *f)
{
    if (!set_up_foreign(f))
        return;
    CHECK_EQUAL(capture_foreign(f), END - FIRST);
    uint64_t page = SN_SPAN_PAGES + 4;
    write_page(page, 1);
    unsigned char part[PAGE];
    CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, page * PAGE + 16, PAGE, SN_KEEP_LAST, part), 0);
    CHECK_EQUAL(part[0], page % 251 + 1);
    CHECK_EQUAL(part[PAGE - 17], page % 251 + 1);
    CHECK_EQUAL(part[PAGE - 16], (page + 1) % 251 + 1);
    CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, (page + 1) * PAGE + 16, PAGE - 16, 0, part), 0);
    CHECK_EQUAL(part[0], (page + 1) % 251 + 1);
    expect(f, page + 1, 0); /* it was let go */
    CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, page * PAGE + 5 * PAGE, 16, SN_KEEP_FIRST, part), 0);
    expect(f, page + 5, (unsigned char)((page + 5) % 251 + 1));
    tear_down(f);
}

void test_foreign(void)
{
    static struct fixture f, other;
    what_goes_is_lost_and_not_delivered(&f);
    what_goes_between_captures_has_changed(&f);
    what_is_secured_may_go(&f);
    neighbours_in_a_span_are_left_alone(&f, &other);
    pages_are_read_in_part_and_kept(&f);
}
