/* environment_test.c: what is told is true of every thread. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)

static void *look(void *argument)
{
    struct sn_environment *environment = argument;
    CHECK_EQUAL(sn_environment(environment), 0);
    errno = 4711;
    int64_t self;
    __asm__("movq %%fs:0, %0" : "=r"(self));
    CHECK_EQUAL(*(int *)(uintptr_t)(self + environment->errno_offset), 4711);
    return NULL;
}

void test_environment(void)
{
    struct sn_environment here, there;
    pthread_t thread;
    look(&here);
    CHECK_EQUAL(pthread_create(&thread, NULL, look, &there), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(memcmp(&here, &there, sizeof here), 0);
    CHECK_EQUAL(here.vector_state & 3, 3);
    CHECK_EQUAL(here.libc_version[0] >= '2', 1);
}

#else

void test_environment(void)
{
    struct sn_environment here;
    CHECK_EQUAL(sn_environment(&here), ENOTSUP);
}

#endif
