/* invariant_test.c: whoever breaks an invariant ends the process with a line that names it. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../span.h"
#include "../fill.h"
#include "../slots.h"

struct broken {
    struct sn_freezer freezer;
    struct sn_region region;
    uint64_t armed[SPAN_WORDS], written[SPAN_WORDS], frozen[SPAN_WORDS], copied[SPAN_WORDS];
    uint32_t slots[SN_SPAN_PAGES], orders[1], next[SN_SPAN_PAGES];
    struct sn_span span;
    unsigned char page[SN_PAGE_BYTES];
};

static struct broken s_it;

/* One page is what the case makes of it; none of its memory is there, and none is touched. */
static void make(void)
{
    s_it.freezer.uffd = -2;
    s_it.freezer.slots.next = s_it.next;
    s_it.freezer.slots.limit = SN_SPAN_PAGES;
    s_it.region = (struct sn_region){
        .start = TEST_BASE,
        .pages = SN_SPAN_PAGES,
        .armed = s_it.armed,
        .written = s_it.written,
        .frozen = s_it.frozen,
        .copied = s_it.copied,
        .slots = s_it.slots,
        .spans = &s_it.span,
        .orders = s_it.orders,
        .end = SN_SPAN_PAGES,
    };
}

static void a_page_is_frozen_and_copied(void)
{
    s_it.frozen[0] = s_it.armed[0] = s_it.copied[0] = 1;
    sn_region_read(&s_it.freezer, &s_it.region, 0, SN_PAGE_BYTES, 0, s_it.page);
}

static void a_frozen_page_is_not_armed(void)
{
    s_it.frozen[0] = 1;
    sn_span_copy(&s_it.freezer, &s_it.region, 0, SN_EXTENT_16, 0);
}

static void a_wanted_page_has_two_places(void)
{
    uint64_t wanted[SPAN_WORDS] = {1};
    s_it.armed[0] = s_it.copied[0] = 1;
    sn_region_freeze(&s_it.freezer, &s_it.region, SN_SPAN_PAGES, wanted);
}

static void a_slot_is_beyond_what_a_word_holds(void)
{
    sn_span_copy(&s_it.freezer, &s_it.region, 0, SN_EXTENT_16, (UINT32_C(1) << SLOT_BITS) - 15);
}

static void a_slot_is_returned_twice(void)
{
    s_it.freezer.slots.used = 16;
    sn_slots_put(&s_it.freezer.slots, 16, SN_EXTENT_16);
    sn_slots_put(&s_it.freezer.slots, 16, SN_EXTENT_16);
}

static void the_middle_of_an_extent_is_returned(void)
{
    s_it.freezer.slots.used = 16;
    sn_slots_put(&s_it.freezer.slots, 17, SN_EXTENT_16);
}

static void a_free_list_leads_out_of_the_slots(void)
{
    s_it.freezer.slots.heads[SN_EXTENT_SPAN] = SN_SPAN_PAGES + 1;
    sn_slots_take(&s_it.freezer.slots, SN_EXTENT_SPAN);
}

static void a_span_is_unlocked_twice(void)
{
    sn_span_lock(&s_it.span);
    sn_span_unlock(&s_it.span);
    sn_span_unlock(&s_it.span);
}

static void a_block_is_fetched_by_who_has_not_claimed_it(void)
{
    struct sn_fill_block block = {.pages = 1};
    struct sn_fill fill = {.blocks = &block, .block_count = 1, .remaining = 1};
    struct room room = {0};
    sn_block_fetch(&fill, &block, &room);
}

static void a_block_is_done_that_nobody_waited_for(void)
{
    struct sn_fill_block block = {.pages = 1, .state = SN_FILL_BUSY};
    struct sn_fill fill = {.blocks = &block, .block_count = 1};
    struct room room = {0};
    sn_block_fetch(&fill, &block, &room);
}

static void a_block_does_not_fit_its_room(void)
{
    struct sn_fill_block block = {.pages = 1, .state = SN_FILL_BUSY, .wanted = 1, .stored = WINDOW_BYTES + 1};
    struct sn_fill_image image = {.fd = -1};
    struct sn_fill fill = {.images = &image, .blocks = &block, .block_count = 1, .remaining = 1};
    struct room room = {0};
    sn_block_fetch(&fill, &block, &room);
}

/* In a child, whose last words are read. */
static void expect_broken(void (*breaks)(void), const char *what)
{
    int ends[2], status = 0;
    char words[512] = {0};
    size_t length = 0;
    CHECK_EQUAL(pipe(ends), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        make();
        breaks();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got = 1; got > 0; length += (size_t)got)
        got = read(ends[0], words + length, sizeof words - 1 - length);
    close(ends[0]);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(words, what) == NULL)
        fprintf(stderr, "expected '%s', not '%s'\n", what, words);
    CHECK(strncmp(words, "Snapshot: broken invariant in ", 30) == 0);
    CHECK(strstr(words, what) != NULL);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

void test_invariant(void)
{
    static const struct {
        void (*breaks)(void);
        const char *what;
    } cases[] = {
        {a_page_is_frozen_and_copied, ": a page is frozen or copied, never both. "},
        {a_frozen_page_is_not_armed, ": a frozen page is armed. "},
        {a_wanted_page_has_two_places, ": a page is frozen or copied, never both. "},
        {a_slot_is_beyond_what_a_word_holds, ": the number of a slot fits beside its extent. "},
        {a_slot_is_returned_twice, ": a slot is returned once. "},
        {the_middle_of_an_extent_is_returned, ": an extent begins at a multiple of its size. "},
        {a_free_list_leads_out_of_the_slots, ": a slot that is handed out is below the limit. "},
        {a_span_is_unlocked_twice, ": a span is unlocked by whoever locked it. "},
        {a_block_is_fetched_by_who_has_not_claimed_it,
         ": whoever ends the fetching of a block has claimed it. "},
        {a_block_is_done_that_nobody_waited_for, ": no more blocks are done than there are. "},
        {a_block_does_not_fit_its_room, ": what is read fits the room. "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_broken(cases[i].breaks, cases[i].what);
}
