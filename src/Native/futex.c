/* futex.c: sleeping on a word until another thread of the process changes it and says so. */
#include "snapshot_native.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* From linux/futex.h and asm/unistd_64.h of Linux 5.16; headers may be older than the kernel. */
#define SN_SYS_FUTEX_WAITV 449
#define SN_FUTEX_32 2u

struct sn_futex_waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

#define SN_NANOSECONDS INT64_C(1000000000)

static struct timespec sn_duration(int64_t ns)
{
    struct timespec time;
    time.tv_sec = ns / SN_NANOSECONDS;
    time.tv_nsec = ns % SN_NANOSECONDS;
    return time;
}

int32_t sn_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec timeout = sn_duration(timeout_ns < 0 ? 0 : timeout_ns);
    long result = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
    return result < 0 ? errno : 0;
}

int32_t sn_futex_wait_either(const uint32_t *word1, uint32_t expected1, const uint32_t *word2, uint32_t expected2,
                             int64_t timeout_ns)
{
    struct sn_futex_waiter waiters[2] = {
        {expected1, (uint64_t)(uintptr_t)word1, SN_FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
        {expected2, (uint64_t)(uintptr_t)word2, SN_FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
    };

    /* Unlike FUTEX_WAIT this call takes an absolute time. */
    struct timespec until = {0, 0};
    if (timeout_ns >= 0) {
        struct timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
            return errno;
        until = sn_duration(timeout_ns % SN_NANOSECONDS + now.tv_nsec);
        until.tv_sec += now.tv_sec + timeout_ns / SN_NANOSECONDS;
    }

    long result = syscall(SN_SYS_FUTEX_WAITV, waiters, 2, 0, timeout_ns < 0 ? NULL : &until, CLOCK_MONOTONIC);
    return result < 0 ? errno : 0;
}

int32_t sn_futex_wake(const uint32_t *word, int32_t count)
{
    return syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0) < 0 ? errno : 0;
}
