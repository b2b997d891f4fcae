/* thread_test.c: a thread sets its own priority and no other's, and is told its own time. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

static void *set(void *nothing)
{
    int before = getpriority(PRIO_PROCESS, 0);
    int lower = before + 10 > 19 ? 19 : before + 10, raised = -1;
    CHECK_EQUAL(sn_thread_nice(10, &raised), 0);
    CHECK_EQUAL(raised, 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), lower);

    /* Raising needs a permission. */
    int32_t error = sn_thread_nice(-100, &raised);
    CHECK_EQUAL(raised, 1);
    CHECK_EQUAL(error == 0 || error == EACCES || error == EPERM, 1);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), error == 0 ? -20 : lower);
    return nothing;
}

/* Counts with its own computing, and not while it waits for another thread that computes. */
static void *compute(void *times)
{
    uint64_t *time = times;
    CHECK_EQUAL(sn_thread_time(&time[0]), 0);
    do
        CHECK_EQUAL(sn_thread_time(&time[1]), 0);
    while (time[1] - time[0] < 20000000);
    return NULL;
}

static void a_thread_is_told_its_own_time(void)
{
    uint64_t before, after, of_other[2];
    pthread_t other;
    CHECK_EQUAL(sn_thread_time(&before), 0);
    CHECK_EQUAL(pthread_create(&other, NULL, compute, of_other), 0);
    CHECK_EQUAL(pthread_join(other, NULL), 0);
    CHECK_EQUAL(sn_thread_time(&after), 0);
    CHECK(after >= before);
    CHECK(after - before < of_other[1] - of_other[0]);
}

void test_thread(void)
{
    a_thread_is_told_its_own_time();
    int before = getpriority(PRIO_PROCESS, 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, set, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), before);
}
