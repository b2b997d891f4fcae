/*
 * signal_test.c: what is different where writes are served by a handler of SIGSEGV. That all of freeze_test.c
 * holds, too, is tested there.
 */
#include "freeze_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

/* A handler cannot wait for ever: nobody reads, and there are no slots. */
static void a_write_that_cannot_wait_spoils_the_capture(struct fixture *f)
{
    if (!set_up(f, SPANS))
        return;
    write_page(3, 1);
    CHECK(capture(f) >= 1);
    f->freezer.slots.limit = f->freezer.slots.extra = 0;
    write_page(3, 2);
    CHECK_EQUAL(f->freezer.spoiled, 1);
    CHECK_EQUAL(f->freezer.copied, 0);

    /* The next capture has it. */
    CHECK(capture(f) >= 1);
    expect(f, 3, 2);
    tear_down(f);
}

static void a_system_call_writes_what_was_opened(struct fixture *f)
{
    int ends[2];
    if (!set_up(f, SPANS))
        return;
    write_page(5, 1);
    CHECK(capture(f) >= 1);
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    void *there = (void *)(uintptr_t)(TEST_BASE + 5 * PAGE);
    CHECK_EQUAL(read(ends[0], there, 1), -1);
    CHECK_EQUAL(errno, EFAULT);
    CHECK_EQUAL(sn_region_open(&f->freezer, &f->region, 5, 1), 0);
    CHECK_EQUAL(read(ends[0], there, 1), 1);
    expect(f, 5, 1);
    CHECK(capture(f) >= 1);
    CHECK_EQUAL(sn_region_read(&f->freezer, &f->region, 5 * PAGE, PAGE, 0, f->page), 0);
    CHECK_EQUAL(f->page[0], 'x');
    CHECK_EQUAL(f->page[1], 1);
    close(ends[0]);
    close(ends[1]);
    tear_down(f);
}

static sigjmp_buf s_escape;

static void escape(int number)
{
    siglongjmp(s_escape, number);
}

/*
 * A guard in the middle of a region, and memory of nobody, end where they did before: here in a handler that
 * leaves.
 */
static void faults_of_others_are_passed_on(struct fixture *f)
{
    uint64_t elsewhere;
    if (!set_up(f, SPANS))
        return;
    write_page(8, 1);
    CHECK_EQUAL(sn_memory_seal(TEST_BASE + 9 * PAGE, PAGE), 0);
    CHECK_EQUAL(sn_memory_discard(TEST_BASE + 9 * PAGE, PAGE), 0);
    CHECK(capture(f) >= 1);
    CHECK_EQUAL(sn_memory_reserve_anywhere(HUGE_PAGE, &elsewhere), 0);
    uint64_t places[] = {TEST_BASE + 9 * PAGE, elsewhere, 8};
    for (uint32_t i = 0; i < 3; i++) {
        if (sigsetjmp(s_escape, 1) == 0) {
            *(volatile unsigned char *)(uintptr_t)places[i] = 1;
            CHECK(0);
        }
    }
    write_page(8, 2);
    expect(f, 8, 1);
    CHECK_EQUAL(sn_memory_release(elsewhere, HUGE_PAGE), 0);
    tear_down(f);
}

void test_signal(void)
{
    static struct fixture fixture;
    /*
     * The handler that is there when the first freezer takes signals is the one that faults of others go to.
     */
    struct sigaction others = {.sa_handler = escape};
    CHECK_EQUAL(sigaction(SIGSEGV, &others, NULL), 0);
    s_by_signals = 1;
    s_look = SN_SCAN_ENTRIES;
    a_write_that_cannot_wait_spoils_the_capture(&fixture);
    a_system_call_writes_what_was_opened(&fixture);
    faults_of_others_are_passed_on(&fixture);
}
