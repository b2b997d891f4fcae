/*
 * lock.c: the arena locks, by the protocol of the managed ArenaMutex and ArenaBarrier, whose words they
 * share; there it is explained why nobody is lost. A native thread that waits needs no record of it: it is
 * captured waiting, and in the next process compares the word again.
 */
#include "call.h"
#include "native_thread.h"

#define CONTENDED (UINT32_C(1) << 31)
#define LOOKS_BEFORE_SLEEP 8

static uint32_t owner_of(const sn_mutex *mutex)
{
    return __atomic_load_n(&mutex->word, __ATOMIC_RELAXED) & ~CONTENDED;
}

static int32_t try_enter(sn_mutex *mutex, uint32_t owner)
{
    uint32_t free = 0;
    return __atomic_compare_exchange_n(&mutex->word, &free, owner, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* Enters, or leaves the mark that somebody waits, for which *expected is what to sleep on. */
static int32_t try_enter_or_mark(sn_mutex *mutex, uint32_t owner, int32_t has_slept, uint32_t *expected)
{
    for (;;) {
        uint32_t seen = __atomic_load_n(&mutex->word, __ATOMIC_ACQUIRE);
        *expected = seen | CONTENDED;
        if ((seen & ~CONTENDED) == 0) {
            uint32_t entered = owner | seen | (has_slept ? CONTENDED : 0);
            if (__atomic_compare_exchange_n(&mutex->word, &seen, entered, 0, __ATOMIC_SEQ_CST,
                                            __ATOMIC_RELAXED))
                return 1;
        } else if (seen == *expected || __atomic_compare_exchange_n(&mutex->word, &seen, *expected, 0,
                                                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            return 0;
        }
    }
}

static void enter(sn_mutex *mutex, uint32_t owner, int32_t has_slept)
{
    uint32_t expected;
    for (int32_t looks = 0; looks < LOOKS_BEFORE_SLEEP && owner_of(mutex) != 0; looks++)
        __builtin_ia32_pause();
    while (!try_enter_or_mark(mutex, owner, has_slept, &expected)) {
        snt_sleep(&mutex->word, expected);
        has_slept = 1;
    }
}

/* Frees it and wakes one; if fibers may wait, the host does, since it may have to hand it to one of them. */
static void leave(sn_mutex *mutex, uint32_t owner)
{
    uint32_t held = owner;
    if (__atomic_compare_exchange_n(&mutex->word, &held, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return;
    if (__atomic_load_n(&snt_process.fibers_may_wait, __ATOMIC_SEQ_CST) != 0) {
        snt_ask(SNT_ASKS_LEAVE, (uint64_t)(uintptr_t)&mutex->word, 0);
        return;
    }
    __atomic_exchange_n(&mutex->word, 0, __ATOMIC_SEQ_CST);
    snt_wake(&mutex->word, 1);
}

static void wake_all(uint32_t *word)
{
    snt_wake(word, INT32_MAX);
    if (__atomic_load_n(&snt_process.fibers_may_wait, __ATOMIC_SEQ_CST) != 0)
        snt_ask(SNT_ASKS_WAKE, (uint64_t)(uintptr_t)word, INT32_MAX);
}

void snt_fibers_may_wait(int32_t may_wait)
{
    __atomic_store_n(&snt_process.fibers_may_wait, may_wait != 0, __ATOMIC_SEQ_CST);
}

int32_t sn_mutex_lock(sn_mutex *mutex)
{
    uint32_t owner = snt_caller(__func__)->owner;
    if (try_enter(mutex, owner))
        return 0;
    if (owner_of(mutex) == owner)
        return EDEADLK;
    enter(mutex, owner, 0);
    return 0;
}

int32_t sn_mutex_try_lock(sn_mutex *mutex)
{
    uint32_t owner = snt_caller(__func__)->owner;
    if (try_enter(mutex, owner))
        return 0;
    return owner_of(mutex) == owner ? EDEADLK : EBUSY;
}

int32_t sn_mutex_unlock(sn_mutex *mutex)
{
    uint32_t owner = snt_caller(__func__)->owner;
    if (owner_of(mutex) != owner)
        return EPERM;
    leave(mutex, owner);
    return 0;
}

int32_t sn_mutex_is_held(const sn_mutex *mutex)
{
    return owner_of(mutex) == snt_caller(__func__)->owner;
}

int32_t sn_barrier_init(sn_barrier *barrier, int32_t participants)
{
    if (participants < 1)
        return EINVAL;
    /* Writing only what is not zero keeps unused pages untouched. */
    for (size_t i = 0; i < sizeof barrier->records / sizeof barrier->records[0]; i++) {
        if (barrier->records[i] != 0)
            barrier->records[i] = 0;
    }
    barrier->participants = participants;
    __atomic_store_n(&barrier->state, 0, __ATOMIC_RELEASE);
    return 0;
}

int32_t sn_barrier_wait(sn_barrier *barrier, int32_t *last)
{
    snt_caller(__func__);
    uint32_t participants = (uint32_t)barrier->participants, *phase_word = (uint32_t *)&barrier->state + 1;
    if (participants == 0)
        return EINVAL;
    uint64_t state = __atomic_load_n(&barrier->state, __ATOMIC_ACQUIRE), next;
    do {
        next = (uint32_t)state + 1 == participants ? ((state >> 32) + 1) << 32 : state + 1;
    } while (
        !__atomic_compare_exchange_n(&barrier->state, &state, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
    uint32_t phase = (uint32_t)(state >> 32);
    int32_t is_last = (uint32_t)(next >> 32) != phase;
    if (last != NULL)
        *last = is_last;
    if (is_last && participants > 1)
        wake_all(phase_word);
    while (!is_last && __atomic_load_n(phase_word, __ATOMIC_ACQUIRE) == phase)
        snt_sleep(phase_word, phase);
    return 0;
}

int32_t sn_condition_wait(sn_condition *condition, sn_mutex *mutex)
{
    uint32_t owner = snt_caller(__func__)->owner;
    if (owner_of(mutex) != owner)
        return EPERM;
    uint32_t sequence = __atomic_load_n(&condition->sequence, __ATOMIC_SEQ_CST);
    leave(mutex, owner);
    snt_sleep(&condition->sequence, sequence);
    enter(mutex, owner, 0);
    return 0;
}

void sn_condition_signal(sn_condition *condition)
{
    __atomic_add_fetch(&condition->sequence, 1, __ATOMIC_SEQ_CST);
    snt_wake(&condition->sequence, 1);
}

void sn_condition_broadcast(sn_condition *condition)
{
    __atomic_add_fetch(&condition->sequence, 1, __ATOMIC_SEQ_CST);
    snt_wake(&condition->sequence, INT32_MAX);
}
