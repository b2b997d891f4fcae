/*
 * rig_native.c: calls of memory and threads, as far as they come from the watched library.
 */
#include "rig.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A macro, since the caller is that of the function it stands in. */
#define NATIVE(of_kind, number, ...) \
    native_call(__builtin_return_address(0), of_kind, number, (const long[6]){ __VA_ARGS__ })

static long native_call(const void *caller, enum rig_kind kind, long number, const long *a)
{
    rig_load();
    if (!rig_is_native(caller))
        return rig_raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    struct rig_call call = { .kind = kind, .fd = -1, .argument = (unsigned long)number };
    return rig_end(&call, rig_begin(&call) ? rig_raw(number, a[0], a[1], a[2], a[3], a[4], a[5]) : -1);
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return (void *)NATIVE(RIG_MMAP, SYS_mmap, (long)at, (long)bytes, protection, flags, fd, offset);
}
void *mmap64(void *, size_t, int, int, int, off64_t) __attribute__((alias("mmap")));

int munmap(void *at, size_t bytes)
{
    return (int)NATIVE(RIG_MUNMAP, SYS_munmap, (long)at, (long)bytes);
}

int madvise(void *at, size_t bytes, int advice)
{
    return (int)NATIVE(RIG_MADVISE, SYS_madvise, (long)at, (long)bytes, advice);
}

int mprotect(void *at, size_t bytes, int protection)
{
    return (int)NATIVE(RIG_MPROTECT, SYS_mprotect, (long)at, (long)bytes, protection);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)NATIVE(RIG_IOCTL, SYS_ioctl, fd, (long)request, argument);
}

/* Only waiting on a futex fails at times; waking fails when the process is broken. */
static enum rig_kind kind_of(long number, long operation)
{
    switch (number) {
    case SYS_futex:
        operation &= FUTEX_CMD_MASK;
        return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET ? RIG_FUTEX : RIG_SYSCALL;
    case 449: /* futex_waitv */
        return RIG_FUTEX;
    case SYS_userfaultfd:
        return RIG_USERFAULT;
    default:
        return RIG_SYSCALL;
    }
}

long syscall(long number, ...)
{
    va_list arguments;
    long a[6];
    va_start(arguments, number);
    for (int index = 0; index < 6; index++)
        a[index] = va_arg(arguments, long);
    va_end(arguments);
    return native_call(__builtin_return_address(0), kind_of(number, a[1]), number, a);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (real == NULL)
        *(void **)&real = rig_real("pthread_create");
    if (!rig_is_native(__builtin_return_address(0)))
        return real(thread, attributes, run, argument);
    struct rig_call call = { .kind = RIG_THREAD, .fd = -1 };
    int error = rig_begin(&call) ? real(thread, attributes, run, argument) : call.error;
    if (error != 0)
        call.error = error;
    rig_end(&call, 0);
    return error;
}
