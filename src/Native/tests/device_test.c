/*
 * device_test.c: pages that are open for devices are written without a fault; each capture has them as they
 * were at its moment, and their neighbours are frozen as ever.
 */
#include "freeze_fixture.h"

#define FIRST (SN_SPAN_PAGES + 100) /* in the middle of a span, over a word's end */
#define END (SN_SPAN_PAGES + 300)

static void open_range(struct fixture *f)
{
    for (uint64_t page = FIRST; page < END; page++)
        f->open[page / WORD_PAGES] |= sn_bits(page, 1);
    CHECK_EQUAL(sn_region_open(&f->freezer, &f->region, FIRST, END - FIRST), 0);
}

/* Gives pages [FIRST, END) this content, and expects no fault. */
static void device_writes(struct fixture *f, unsigned char value)
{
    uint64_t before = f->freezer.faults;
    for (uint64_t page = FIRST; page < END; page++)
        write_page(page, value);
    CHECK_EQUAL(f->freezer.faults, before);
}

static void expect_all(struct fixture *f, unsigned char others, unsigned char open)
{
    for (uint64_t page = SN_SPAN_PAGES; page < 2 * SN_SPAN_PAGES; page++)
        expect(f, page, page >= FIRST && page < END ? open : others);
    CHECK_EQUAL(f->freezer.slots.used, 0);
    give_slots(f, SPANS);
}

static void is_in_every_capture_as_it_was(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 1);
    CHECK_EQUAL(capture(f), PAGES);
    open_range(f); /* while all of it is frozen */
    device_writes(f, 2);
    expect_all(f, 1, 1);
    CHECK_EQUAL(capture(f), SN_SPAN_PAGES); /* the opening was a write to the span */
    device_writes(f, 3);
    expect_all(f, 1, 2);
    for (unsigned char value = 4; value < 7; value++) {
        CHECK_EQUAL(capture(f), END - FIRST);
        device_writes(f, value);
        write_page(SN_SPAN_PAGES + 5, 1); /* opens the rest of the span, which is not wanted */
        for (uint64_t page = FIRST; page < END; page++)
            expect(f, page, value - 1);
        give_slots(f, SPANS);
        CHECK_EQUAL(capture(f), SN_SPAN_PAGES);
        device_writes(f, value);
        expect_all(f, 1, value);
    }
    tear_down(f);
}

static void is_not_armed_by_an_early_collect(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 1);
    CHECK_EQUAL(capture(f), PAGES);
    CHECK_EQUAL(sn_region_thaw(&f->freezer, &f->region, PAGES), 0);
    give_slots(f, SPANS);
    open_range(f);
    collect_early(f);
    device_writes(f, 2);
    CHECK_EQUAL(capture(f), SN_SPAN_PAGES);
    device_writes(f, 3);
    expect_all(f, 1, 2);
    tear_down(f);
}

static void is_armed_again_when_it_was_closed(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 1);
    open_range(f);
    CHECK_EQUAL(capture(f), PAGES);
    device_writes(f, 2);
    memset(f->open, 0, sizeof f->open);
    CHECK_EQUAL(capture(f), END - FIRST);
    uint64_t before = f->freezer.faults;
    write_page(FIRST, 3);
    CHECK(f->freezer.faults > before);
    for (uint64_t page = FIRST; page < END; page++)
        expect(f, page, 2);
    give_slots(f, SPANS);
    CHECK_EQUAL(capture(f), SN_SPAN_PAGES);
    expect(f, FIRST, 3);
    tear_down(f);
}

/* It reads as zero, and need not be copied. */
static void is_left_out_while_it_has_no_memory(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    CHECK_EQUAL(sn_memory_advise_huge(TEST_BASE, PAGES * PAGE, 0), 0);
    write_page(0, 1);
    open_range(f);
    CHECK_EQUAL(capture(f), 1);
    CHECK_EQUAL(capture(f), 0);
    write_page(FIRST + 7, 2);
    CHECK_EQUAL(capture(f), 1);
    write_page(FIRST + 7, 3);
    expect(f, FIRST + 7, 2);
    CHECK_EQUAL(capture(f), 1);
    expect(f, FIRST + 7, 3);
    tear_down(f);
}

static void test_all(void)
{
    static struct fixture fixture;
    is_in_every_capture_as_it_was(&fixture);
    is_not_armed_by_an_early_collect(&fixture);
    is_armed_again_when_it_was_closed(&fixture);
    is_left_out_while_it_has_no_memory(&fixture);
}

void test_device(void)
{
    s_look = SN_SCAN_ENTRIES;
    test_all();
    s_by_signals = 1;
    test_all();
}
