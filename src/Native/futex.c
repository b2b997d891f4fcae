/* futex.c: sleeping on a word of memory and waking whoever sleeps there. */
#include "snapshot_native.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * From include/uapi/linux/futex.h and asm/unistd_64.h of Linux 5.16,
 * for distributions whose headers are older.
 */
#define SN_SYS_FUTEX_WAITV 449
#define SN_FUTEX_32 2u

struct sn_futex_waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

#define SN_NANOSECONDS INT64_C(1000000000)

int32_t sn_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec limit = {.tv_sec = timeout_ns / SN_NANOSECONDS, .tv_nsec = timeout_ns % SN_NANOSECONDS};
    long result =
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &limit, NULL, 0);
    return result == 0 ? 0 : errno;
}

int32_t sn_futex_wait_either(const uint32_t *word1, uint32_t expected1, const uint32_t *word2,
                             uint32_t expected2, int64_t timeout_ns)
{
    const uint32_t flags = SN_FUTEX_32 | FUTEX_PRIVATE_FLAG;
    struct sn_futex_waitv waiters[2] = {
        {.value = expected1, .address = (uint64_t)(uintptr_t)word1, .flags = flags},
        {.value = expected2, .address = (uint64_t)(uintptr_t)word2, .flags = flags},
    };
    struct timespec limit = {0};
    if (timeout_ns >= 0) {
        /* Unlike FUTEX_WAIT this call takes a point in time, not a duration. */
        if (clock_gettime(CLOCK_MONOTONIC, &limit) != 0)
            return errno;
        int64_t nanoseconds = limit.tv_nsec + timeout_ns % SN_NANOSECONDS;
        limit.tv_sec += timeout_ns / SN_NANOSECONDS + nanoseconds / SN_NANOSECONDS;
        limit.tv_nsec = nanoseconds % SN_NANOSECONDS;
    }
    /* The result is the index of a word that was woken, or -1. */
    long result = syscall(SN_SYS_FUTEX_WAITV, waiters, 2, 0, timeout_ns < 0 ? NULL : &limit, CLOCK_MONOTONIC);
    return result >= 0 ? 0 : errno;
}

int32_t sn_futex_wake(const uint32_t *word, int32_t count)
{
    long result = syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    return result >= 0 ? 0 : errno;
}
