/* futex_test.c: whoever sleeps is woken, whoever need not does not, and a limit ends the sleep. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define MILLISECOND INT64_C(1000000)

static _Atomic uint32_t first, second;

static const uint32_t *word(_Atomic uint32_t *atom)
{
    return (const uint32_t *)(uintptr_t)atom;
}

static void *sleep_on_first(void *unused)
{
    (void)unused;
    while (atomic_load(&first) == 0) {
        int32_t error = sn_futex_wait(word(&first), 0, -1);
        CHECK(error == 0 || error == EAGAIN || error == EINTR);
    }
    return NULL;
}

static void *sleep_on_either(void *unused)
{
    (void)unused;
    while (atomic_load(&first) == 0 && atomic_load(&second) == 0) {
        int32_t error = sn_futex_wait_either(word(&first), 0, word(&second), 0, -1);
        CHECK(error == 0 || error == EAGAIN || error == EINTR);
    }
    return NULL;
}

static void a_sleeper_is_woken(void *(*sleeper)(void *), _Atomic uint32_t *by)
{
    pthread_t thread;
    atomic_store(&first, 0);
    atomic_store(&second, 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, sleeper, NULL), 0);
    atomic_store(by, 1);
    CHECK_EQUAL(sn_futex_wake(word(by), 1), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void another_value_or_a_passed_limit_ends_the_wait(int with_either)
{
    atomic_store(&first, 5);
    atomic_store(&second, 6);
    CHECK_EQUAL(sn_futex_wait(word(&first), 4, -1), EAGAIN);
    CHECK_EQUAL(sn_futex_wait(word(&first), 5, MILLISECOND), ETIMEDOUT);
    CHECK_EQUAL(sn_futex_wait(word(&first), 5, 0), ETIMEDOUT);
    CHECK_EQUAL(sn_futex_wake(word(&first), 1), 0);
    if (!with_either)
        return;
    CHECK_EQUAL(sn_futex_wait_either(word(&first), 5, word(&second), 7, -1), EAGAIN);
    CHECK_EQUAL(sn_futex_wait_either(word(&first), 4, word(&second), 6, -1), EAGAIN);
    CHECK_EQUAL(sn_futex_wait_either(word(&first), 5, word(&second), 6, MILLISECOND), ETIMEDOUT);
}

void test_futex(void)
{
    int with_either = sn_futex_wait_either(word(&first), 1, word(&second), 1, 0) != ENOSYS;
    a_sleeper_is_woken(sleep_on_first, &first);
    if (with_either) {
        a_sleeper_is_woken(sleep_on_either, &first);
        a_sleeper_is_woken(sleep_on_either, &second);
    }
    another_value_or_a_passed_limit_ends_the_wait(with_either);
    CHECK_EQUAL(sn_futex_wait((const uint32_t *)(uintptr_t)1, 0, 0), EINVAL);
}
