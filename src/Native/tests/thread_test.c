/* thread_test.c: a thread sets its own priority and no other's. */
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

void test_thread(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, set, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), before);
}
