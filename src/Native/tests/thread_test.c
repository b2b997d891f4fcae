/* thread_test.c: a thread lowers itself and no other, and is never raised. */
#include "check.h"

#include <pthread.h>
#include <sys/resource.h>

static void *lower(void *nothing)
{
    int before = getpriority(PRIO_PROCESS, 0);
    CHECK_EQUAL(sn_thread_lower(10), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), before > 10 ? before : 10);
    CHECK_EQUAL(sn_thread_lower(19), 0);
    CHECK_EQUAL(sn_thread_lower(10), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 19);
    return nothing;
}

void test_thread(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, lower, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), before);
}
