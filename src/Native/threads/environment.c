/*
 * environment.c: what a captured thread depends on, beside its code, and what only C can ask for. The
 * instructions of the processor are asked for in C#.
 */
#include "native_thread.h"

#include <cpuid.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/auxv.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static uint64_t read_vector_state(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint64_t thread_pointer(void)
{
    uint64_t self;
    __asm__("movq %%fs:0, %0" : "=r"(self));
    return self;
}

int32_t snt_environment(struct snt_environment *environment)
{
    uint32_t eax, ebx, ecx, edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_OSXSAVE) == 0)
        return ENOTSUP;
    struct snt_environment found = {
        .vector_state = read_vector_state(),
        .signal_stack_min = getauxval(AT_MINSIGSTKSZ),
        .errno_offset = (int64_t)((uint64_t)(uintptr_t)&errno - thread_pointer()),
    };
    strncpy(found.libc_version, gnu_get_libc_version(), sizeof found.libc_version - 1);
    *environment = found;
    return 0;
}
