/*
 * worker.c: what the process has of its native threads, and which of them is the caller.
 */
#include "call.h"
#include "native_thread.h"

#include <stdlib.h>
#include <string.h>

HIDDEN struct snt_process snt_process;

struct snt_worker *snt_worker_of_this_thread(void)
{
    uint64_t seat = (snt_thread_pointer() - SNT_HOST_BASE) / SNT_HOST_BYTES;
    return seat < SNT_THREADS_MAX ? &snt_process.workers[seat] : NULL;
}

void snt_die(const char *function, const char *what)
{
    const char *const parts[] = {"snapshot: ", function, ": ", what, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        snt_call(SYS_write, 2, (uint64_t)(uintptr_t)parts[i], strlen(parts[i]), 0, 0, 0);
    abort();
}

struct snt_record *snt_caller(const char *function)
{
    struct snt_worker *worker = snt_worker_of_this_thread();
    if (worker == NULL)
        snt_die(function, "called by a thread that is not a native thread of Snapshot's");
    if (worker->in_handler != 0)
        snt_die(function, "called by a checkpoint handler");
    if (worker->blocked != 0)
        snt_die(function, "called by the function of sn_blocked_call");
    return worker->record;
}

static uint64_t read_fs(uint64_t offset)
{
    uint64_t value;
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

void snt_keep(struct snt_record *record, int32_t saved_errno)
{
    record->fs_base = read_fs(0x10);
    record->canary = read_fs(0x28);
    record->pointer_guard = read_fs(0x30);
    record->saved_errno = saved_errno;
    uint32_t count = __atomic_load_n(&snt_process.module_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        const struct snt_module *module = &snt_process.modules[i];
        if (module->tls_bytes != 0)
            memcpy(record->tls + module->tls_at,
                   (const void *)(uintptr_t)(record->fs_base - module->tls_offset), module->tls_bytes);
    }
}
