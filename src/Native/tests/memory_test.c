/* memory_test.c: a reservation takes its address or fails; what is committed reads as zero until written. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void a_reservation_takes_exactly_its_address(void)
{
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, 16 * PAGE), 0);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, 16 * PAGE), EEXIST);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE + 15 * PAGE, 2 * PAGE), EEXIST);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE + 16 * PAGE, PAGE), 0);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, 17 * PAGE), 0);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, 17 * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, 17 * PAGE), 0);
    CHECK_EQUAL(sn_memory_release(TEST_BASE + 1, PAGE), EINVAL);
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE + 1, PAGE), EINVAL);
}

static void committed_memory_reads_as_zero_until_written_and_after_a_discard(void)
{
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, 4 * PAGE), 0);
    CHECK_EQUAL(sn_memory_commit(TEST_BASE, 2 * PAGE), 0);
    volatile unsigned char *memory = bytes_at(TEST_BASE);
    CHECK_EQUAL(memory[0], 0);
    memory[0] = 1;
    memory[2 * PAGE - 1] = 2;
    CHECK_EQUAL(sn_memory_discard(TEST_BASE, PAGE), 0);
    CHECK_EQUAL(memory[0], 0);
    CHECK_EQUAL(memory[2 * PAGE - 1], 2);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, 4 * PAGE), 0);
    CHECK_EQUAL(sn_memory_commit(TEST_BASE, PAGE), ENOMEM);
    CHECK_EQUAL(sn_memory_discard(TEST_BASE, PAGE), ENOMEM);
}

/* As where the kernel counts what is committed: nothing is left but what was had before. */
static void what_can_be_done_without_leaves_something_at_a_limit(void)
{
    const uint64_t bytes = SN_SPARE_BYTES;
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, bytes), 0);
    CHECK_EQUAL(sn_memory_commit_spare(TEST_BASE, bytes / 2), 0);
    struct rlimit before, none;
    CHECK_EQUAL(getrlimit(RLIMIT_DATA, &before), 0);
    none = before;
    none.rlim_cur = PAGE; /* of 0 the kernel does not take notice */
    CHECK_EQUAL(setrlimit(RLIMIT_DATA, &none), 0);
    CHECK_EQUAL(sn_memory_commit_spare(TEST_BASE + bytes / 2, PAGE), ENOMEM);
    CHECK_EQUAL(setrlimit(RLIMIT_DATA, &before), 0);
    CHECK_EQUAL(sn_memory_commit_spare(TEST_BASE + bytes / 2, PAGE), 0);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, bytes), 0);
}

static void populated_memory_is_present(void)
{
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, 4 * PAGE), 0);
    CHECK_EQUAL(sn_memory_commit(TEST_BASE, 4 * PAGE), 0);
    unsigned char present[4] = {0};
    CHECK_EQUAL(sn_memory_populate(TEST_BASE, 4 * PAGE), 0);
    CHECK_EQUAL(mincore((void *)(uintptr_t)TEST_BASE, 4 * PAGE, present), 0);
    for (int i = 0; i < 4; i++)
        CHECK(present[i] & 1);
    CHECK_EQUAL(sn_memory_release(TEST_BASE, 4 * PAGE), 0);
    CHECK(sn_memory_populate(TEST_BASE, PAGE) != 0);
}

static void a_name_appears_in_the_process_map(void)
{
    CHECK_EQUAL(sn_memory_reserve(TEST_BASE, PAGE), 0);
    int32_t error = sn_memory_name(TEST_BASE, PAGE, "snapshot test");
    CHECK(error == 0 || error == EINVAL); /* EINVAL: a kernel built without names */
    if (error == 0) {
        FILE *maps = fopen("/proc/self/maps", "r");
        CHECK(maps != NULL);
        char line[512];
        int found = 0;
        while (fgets(line, sizeof line, maps) != NULL)
            found |= strstr(line, "[anon:snapshot test]") != NULL;
        fclose(maps);
        CHECK(found);
    }
    CHECK_EQUAL(sn_memory_release(TEST_BASE, PAGE), 0);
}

static void memory_reserved_anywhere_is_aligned_and_writable_once_committed(void)
{
    uint64_t base = 0;
    CHECK_EQUAL(sn_memory_reserve_anywhere(2 * HUGE_PAGE, &base), 0);
    CHECK_EQUAL(base % HUGE_PAGE, 0);
    CHECK_EQUAL(sn_memory_commit(base, HUGE_PAGE), 0);
    CHECK_EQUAL(sn_memory_commit(base, 2 * HUGE_PAGE), 0);
    bytes_at(base)[0] = 1;
    bytes_at(base)[2 * HUGE_PAGE - 1] = 1;
    int32_t error = sn_memory_advise_huge(base, HUGE_PAGE, 0);
    CHECK(error == 0 || error == EINVAL); /* EINVAL: a kernel without huge pages */
    CHECK_EQUAL(sn_memory_advise_huge(base, HUGE_PAGE, 1), error);
    CHECK_EQUAL(sn_memory_release(base, 2 * HUGE_PAGE), 0);
    CHECK(sn_memory_advise_huge(base + 1, HUGE_PAGE, 1) != 0);

    uint64_t untouched = 7;
    CHECK_EQUAL(sn_memory_reserve_anywhere(UINT64_C(1) << 60, &untouched), ENOMEM);
    CHECK_EQUAL(sn_memory_reserve_anywhere(UINT64_MAX - PAGE, &untouched), ENOMEM);
    CHECK_EQUAL(untouched, 7);
}

static void sparse_memory_may_be_larger_than_the_machine(void)
{
    uint64_t base = 0, bytes = UINT64_C(8) << 40;
    CHECK_EQUAL(sn_memory_map_sparse(bytes, &base), 0);
    CHECK_EQUAL(bytes_at(base)[bytes - 1], 0);
    bytes_at(base)[bytes / 2] = 1;
    CHECK_EQUAL(sn_memory_release(base, bytes), 0);
    CHECK_EQUAL(sn_memory_map_sparse(UINT64_C(1) << 60, &base), ENOMEM);
}

void test_memory(void)
{
    a_reservation_takes_exactly_its_address();
    committed_memory_reads_as_zero_until_written_and_after_a_discard();
    what_can_be_done_without_leaves_something_at_a_limit();
    populated_memory_is_present();
    a_name_appears_in_the_process_map();
    memory_reserved_anywhere_is_aligned_and_writable_once_committed();
    sparse_memory_may_be_larger_than_the_machine();
}
