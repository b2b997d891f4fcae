/*
 * mutex.c: the mutexes and conditions of pthreads that a module sees, and with them std::mutex and
 * std::condition_variable. Part of the shim. They live where the module puts them, in captured memory; who
 * waits is captured waiting. Only threads that use this shim may share one; what is shared with C# is
 * sn_mutex.
 *
 * They lie in the types of libc, and those that it initialises statically are as they are to be: all zero,
 * and for a recursive mutex its kind where libc has it. A thread is known by its thread control block, which
 * is at the same address in the next process.
 */
#include "../call.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))

struct mutex {
    uint32_t lock;
    uint32_t count; /* how often a recursive one is held */
    uint64_t unused;
    int32_t kind;
    uint32_t also_unused;
    uint64_t owner;
};

struct condition {
    uint32_t sequence;
    int32_t clock;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "");
_Static_assert(sizeof(struct condition) <= sizeof(pthread_cond_t), "");
_Static_assert(offsetof(struct mutex, kind) == offsetof(pthread_mutex_t, __data.__kind), "");
_Static_assert(sizeof(pthread_mutexattr_t) == sizeof(int32_t) &&
                   sizeof(pthread_condattr_t) == sizeof(int32_t),
               "");

static uint64_t caller(void)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    return self;
}

static struct mutex *of(pthread_mutex_t *mutex)
{
    return (struct mutex *)(void *)mutex;
}

/* 0, or EBUSY: it is to be waited for; ENOMSG: the caller holds it already, and now once more. */
static int32_t look(struct mutex *mutex)
{
    uint64_t self = caller();
    if (mutex->kind != PTHREAD_MUTEX_NORMAL && __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == self) {
        if (mutex->kind != PTHREAD_MUTEX_RECURSIVE)
            return EDEADLK;
        mutex->count++;
        return ENOMSG;
    }
    if (!snt_try_lock(&mutex->lock))
        return EBUSY;
    __atomic_store_n(&mutex->owner, self, __ATOMIC_RELAXED);
    return 0;
}

HIDDEN int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    memset(attributes, 0, sizeof *attributes);
    return 0;
}

HIDDEN int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
    (void)attributes;
    return 0;
}

HIDDEN int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int kind)
{
    if (kind != PTHREAD_MUTEX_NORMAL && kind != PTHREAD_MUTEX_RECURSIVE && kind != PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    memcpy(attributes, &kind, sizeof kind);
    return 0;
}

HIDDEN int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    memset(mutex, 0, sizeof *mutex);
    if (attributes != NULL)
        memcpy(&of(mutex)->kind, attributes, sizeof of(mutex)->kind);
    return 0;
}

HIDDEN int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return __atomic_load_n(&of(mutex)->lock, __ATOMIC_RELAXED) == 0 ? 0 : EBUSY;
}

HIDDEN int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int32_t seen = look(of(mutex));
    if (seen == EBUSY) {
        snt_lock_slowly(&of(mutex)->lock);
        __atomic_store_n(&of(mutex)->owner, caller(), __ATOMIC_RELAXED);
        seen = 0;
    }
    return seen == ENOMSG ? 0 : seen;
}

HIDDEN int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int32_t seen = look(of(mutex));
    return seen == ENOMSG ? 0 : seen == EDEADLK ? EBUSY : seen;
}

static int32_t lock_until(pthread_mutex_t *mutex, int32_t clock, const struct timespec *until)
{
    int32_t seen = look(of(mutex)), slept = 0;
    if (seen != EBUSY)
        return seen == ENOMSG ? 0 : seen;
    while (__atomic_exchange_n(&of(mutex)->lock, 2, __ATOMIC_ACQUIRE) != 0) {
        if (slept == ETIMEDOUT)
            return slept;
        slept = snt_sleep_until(&of(mutex)->lock, 2, clock == CLOCK_REALTIME, until);
        if (slept == EINVAL)
            return slept;
    }
    __atomic_store_n(&of(mutex)->owner, caller(), __ATOMIC_RELAXED);
    return 0;
}

HIDDEN int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    return lock_until(mutex, CLOCK_REALTIME, until);
}

HIDDEN int pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock,
                                   const struct timespec *restrict until)
{
    return lock_until(mutex, clock, until);
}

HIDDEN int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct mutex *held = of(mutex);
    if (held->kind != PTHREAD_MUTEX_NORMAL && __atomic_load_n(&held->owner, __ATOMIC_RELAXED) != caller())
        return EPERM;
    if (held->count > 0) {
        held->count--;
        return 0;
    }
    __atomic_store_n(&held->owner, 0, __ATOMIC_RELAXED);
    snt_unlock(&held->lock);
    return 0;
}

/* ---- conditions ---------------------------------------------------------------------------------------- */

static struct condition *condition_of(pthread_cond_t *condition)
{
    return (struct condition *)(void *)condition;
}

HIDDEN int pthread_condattr_init(pthread_condattr_t *attributes)
{
    memset(attributes, 0, sizeof *attributes);
    return 0;
}

HIDDEN int pthread_condattr_destroy(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}

HIDDEN int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    memcpy(attributes, &clock, sizeof clock);
    return 0;
}

HIDDEN int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    memset(condition, 0, sizeof *condition);
    if (attributes != NULL)
        memcpy(&condition_of(condition)->clock, attributes, sizeof condition_of(condition)->clock);
    return 0;
}

HIDDEN int pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

HIDDEN int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    uint32_t *word = &condition_of(condition)->sequence, sequence = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    int error = pthread_mutex_unlock(mutex);
    if (error != 0)
        return error;
    snt_sleep(word, sequence);
    return pthread_mutex_lock(mutex);
}

/*
 * A point in time of CLOCK_MONOTONIC means something else on another machine: the wait may end early or late
 * there.
 */
HIDDEN int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                  clockid_t clock, const struct timespec *restrict until)
{
    uint32_t *word = &condition_of(condition)->sequence, sequence = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    int error = pthread_mutex_unlock(mutex);
    if (error != 0)
        return error;
    int32_t slept = snt_sleep_until(word, sequence, clock == CLOCK_REALTIME, until);
    error = pthread_mutex_lock(mutex);
    return error != 0 ? error : slept == ETIMEDOUT || slept == EINVAL ? slept : 0;
}

HIDDEN int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                  const struct timespec *restrict until)
{
    return pthread_cond_clockwait(condition, mutex, condition_of(condition)->clock, until);
}

HIDDEN int pthread_cond_signal(pthread_cond_t *condition)
{
    __atomic_add_fetch(&condition_of(condition)->sequence, 1, __ATOMIC_SEQ_CST);
    snt_wake(&condition_of(condition)->sequence, 1);
    return 0;
}

HIDDEN int pthread_cond_broadcast(pthread_cond_t *condition)
{
    __atomic_add_fetch(&condition_of(condition)->sequence, 1, __ATOMIC_SEQ_CST);
    snt_wake(&condition_of(condition)->sequence, INT32_MAX);
    return 0;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

/* The same in every process, as libc's is not said to be. */
HIDDEN pthread_t pthread_self(void)
{
    return caller();
}

HIDDEN int pthread_equal(pthread_t one, pthread_t other)
{
    return one == other;
}
