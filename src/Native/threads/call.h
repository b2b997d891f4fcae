/*
 * call.h: system calls made here and not by libc, so that a thread that sleeps in one stands in code at a
 * fixed address. There it is parked: SA_RESTART puts the call's registers back, and the call is made anew, in
 * a new process too. Shared with the shim, whose code is at a fixed address as well.
 */
#ifndef SNAPSHOT_MODULE_CALL_H
#define SNAPSHOT_MODULE_CALL_H

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

/* The result, or an errno below 0. */
static inline int64_t snt_call(int64_t number, uint64_t one, uint64_t two, uint64_t three, uint64_t four,
                               uint64_t five, uint64_t six)
{
    int64_t result;
    register uint64_t r10 __asm__("r10") = four;
    register uint64_t r8 __asm__("r8") = five;
    register uint64_t r9 __asm__("r9") = six;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/*
 * Sleeps while the word has the value; may return early. No timeout: a call with one would not be made anew.
 */
static inline void snt_sleep(const uint32_t *word, uint32_t value)
{
    snt_call(SYS_futex, (uint64_t)(uintptr_t)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

/* The same until a point in time of a clock: 0, or an errno; EINTR also when the thread was parked in it. */
static inline int32_t snt_sleep_until(const uint32_t *word, uint32_t value, int32_t is_realtime,
                                      const struct timespec *until)
{
    uint64_t operation = FUTEX_WAIT_BITSET_PRIVATE | (is_realtime ? (uint64_t)FUTEX_CLOCK_REALTIME : 0);
    return (int32_t)-snt_call(SYS_futex, (uint64_t)(uintptr_t)word, operation, value,
                              (uint64_t)(uintptr_t)until, 0, FUTEX_BITSET_MATCH_ANY);
}

static inline void snt_wake(const uint32_t *word, uint32_t count)
{
    snt_call(SYS_futex, (uint64_t)(uintptr_t)word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

static inline void snt_yield(void)
{
    snt_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

/*
 * A lock of one word without an owner, for short sections: 0 free, 1 held, 2 held and somebody may be asleep.
 * It may lie in captured memory: whoever sleeps looks at the word again in the next process.
 */
static inline void snt_lock_slowly(uint32_t *word)
{
    for (int32_t looks = 0; looks < 64; looks++) {
        uint32_t free = 0;
        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        __builtin_ia32_pause();
    }
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        snt_sleep(word, 2);
}

static inline int32_t snt_try_lock(uint32_t *word)
{
    uint32_t free = 0;
    return __atomic_compare_exchange_n(word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void snt_lock(uint32_t *word)
{
    if (!snt_try_lock(word))
        snt_lock_slowly(word);
}

static inline void snt_unlock(uint32_t *word)
{
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        snt_wake(word, 1);
}

#endif
