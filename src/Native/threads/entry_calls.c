/*
 * entry_calls.c: what entry.S calls: on the way back from a function, into and out of a blocked call, and
 * where a return address was replaced.
 */
#include "call.h"
#include "native_thread.h"

/* The function has returned, on the arena's stack: back to this process's. */
uint64_t snt_leave(const struct snt_record *record)
{
    struct snt_worker *worker = &snt_process.workers[record->seat];
    __asm__ volatile("movq %0, %%fs:0x28\n\tmovq %1, %%fs:0x30"
                     :
                     : "r"(worker->host_canary), "r"(worker->host_guard));
    return worker->host_rsp;
}

/* ---- replaced return addresses ------------------------------------------------------------------------- */

__attribute__((section("snt_disarm_text"), target("general-regs-only"), used)) struct snt_raise
snt_disarm(uint64_t *return_address)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    struct snt_worker *worker = &snt_process.workers[(self - SNT_HOST_BASE) / SNT_HOST_BYTES];
    *return_address = worker->armed;
    worker->armed_at = 0;
    return snt_ids();
}

__attribute__((section("snt_disarm_text"), target("general-regs-only"), used)) struct snt_raise snt_ids(void)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    const struct snt_worker *worker = &snt_process.workers[(self - SNT_HOST_BASE) / SNT_HOST_BYTES];
    return (struct snt_raise){(uint32_t)snt_process.pid | (uint64_t)(uint32_t)snt_process.signal << 32,
                              (uint32_t)worker->tid};
}

/* ---- blocked calls ------------------------------------------------------------------------------------- */

/* The thread is no more parked by the signal. The last it writes to captured memory; then where to go on. */
uint64_t snt_host_stack(struct snt_record *record)
{
    snt_keep(record, errno);
    return snt_process.workers[record->seat].host_rsp;
}

typedef int64_t blocked_function(void *argument);

/*
 * On the host stack. A stop makes itself known in `wanted` and then looks at `blocked`; here it is the other
 * way round: one of the two sees the other.
 */
uint64_t snt_run_blocked(struct snt_record *record)
{
    struct snt_worker *worker = &snt_process.workers[record->seat];
    blocked_function *function = (blocked_function *)(uintptr_t)record->blocked_function;
    __atomic_store_n(&worker->blocked, 1, __ATOMIC_SEQ_CST);
    if (snt_is_wanted())
        snt_arrive();
    uint64_t result = (uint64_t)function((void *)(uintptr_t)record->blocked_argument);
    for (;;) {
        __atomic_store_n(&worker->blocked, 0, __ATOMIC_SEQ_CST);
        uint32_t stop = __atomic_load_n(&snt_process.wanted, __ATOMIC_SEQ_CST);
        if ((stop & 1) == 0)
            return result;
        __atomic_store_n(&worker->blocked, 1, __ATOMIC_SEQ_CST);
        snt_arrive();
        while (__atomic_load_n(&snt_process.wanted, __ATOMIC_ACQUIRE) == stop)
            snt_sleep(&snt_process.wanted, stop);
    }
}
