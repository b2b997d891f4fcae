/* slots_test.c: how long to wait for memory that was used before. What waits for it is in freeze_test.c. */
#include "check.h"

#include "../slots.h"

/* Nothing is known, or fresh memory is no dearer. */
static void nobody_waits_where_it_does_not_pay(void)
{
    struct sn_slots slots = {.copy_ns = {0, 5000}};
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 0);
    slots.copy_ns[0] = 5000;
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 0);
    slots.copy_ns[0] = 6000;
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 0);
    CHECK(!sn_slots_fresh_is_dear(&slots));
    slots.copy_ns[0] = 2500;
    CHECK(!sn_slots_fresh_is_dear(&slots));
    slots.copy_ns[0] = 2499;
    CHECK(sn_slots_fresh_is_dear(&slots));
}

/*
 * Fresh memory costs 4000 ns more: a quarter is waited for it, by all together, each time that some is taken.
 */
static void waits_add_up_until_fresh_memory_is_taken(void)
{
    struct sn_slots slots = {.copy_ns = {1000, 5000}};
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 1000);
    sn_slots_waited(&slots, 400);
    CHECK_EQUAL(sn_slots_patience(&slots, 400), 600);
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 600);
    sn_slots_waited(&slots, 850);
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 0);
    sn_slots_learn(&slots, 0, 1000);
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 0);
    sn_slots_learn(&slots, 1, 5000);
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 750);
}

static void where_copies_are_not_needed_again_each_wait_is_seen_by_itself(void)
{
    struct sn_slots slots = {.copy_ns = {1000, 5000}, .once = 1};
    sn_slots_waited(&slots, 9000);
    CHECK_EQUAL(slots.waited_ns, 0);
    CHECK_EQUAL(sn_slots_patience(&slots, 0), 4000);
    CHECK_EQUAL(sn_slots_patience(&slots, 1000), 3000);
    CHECK_EQUAL(sn_slots_patience(&slots, 4000), 0);
}

/* A quarter of what a copy takes counts at once. */
static void what_copies_take_is_learnt(void)
{
    struct sn_slots slots = {.once = 0};
    sn_slots_learn(&slots, 1, 8000);
    CHECK_EQUAL(slots.copy_ns[1], 8000);
    sn_slots_learn(&slots, 1, 4000);
    CHECK_EQUAL(slots.copy_ns[1], 7000);
    CHECK_EQUAL(slots.copy_ns[0], 0);
}

void test_slots(void)
{
    nobody_waits_where_it_does_not_pay();
    waits_add_up_until_fresh_memory_is_taken();
    where_copies_are_not_needed_again_each_wait_is_seen_by_itself();
    what_copies_take_is_learnt();
}
