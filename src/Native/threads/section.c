/*
 * section.c: what a thread says about when it is captured: safepoints, critical sections, blocked calls,
 * handlers.
 */
#include "call.h"
#include "native_thread.h"

void sn_safepoint(void)
{
    if (snt_is_wanted() && snt_worker_of_this_thread() != NULL)
        snt_raise_self();
}

void sn_critical_enter(void)
{
    struct snt_worker *worker = snt_worker_of_this_thread();
    if (worker != NULL)
        __atomic_store_n(&worker->critical, worker->critical + 1, __ATOMIC_SEQ_CST);
}

void sn_critical_exit(void)
{
    struct snt_worker *worker = snt_worker_of_this_thread();
    if (worker == NULL)
        return;
    if (worker->critical == 0)
        snt_die(__func__, "the thread is in no critical section");
    /*
     * A stop that begins before this store is seen below; one that begins after it sends the signal to good
     * effect.
     */
    __atomic_store_n(&worker->critical, worker->critical - 1, __ATOMIC_SEQ_CST);
    if (worker->critical == 0 && worker->in_handler == 0)
        sn_safepoint();
}

/* ---- blocked calls ------------------------------------------------------------------------------------- */

int64_t sn_blocked_call(int64_t (*function)(void *argument), void *argument)
{
    struct snt_record *record = snt_caller(__func__);
    if (snt_worker_of_this_thread()->critical != 0)
        snt_die(__func__, "called in a critical section");
    if (snt_place_of((uint64_t)(uintptr_t)function) == SNT_FOREIGN)
        snt_die(__func__, "the function is not in a native module");
    record->blocked_function = (uint64_t)(uintptr_t)function;
    record->blocked_argument = (uint64_t)(uintptr_t)argument;
    uint64_t result = snt_block(record);
    /* A signal that came before the thread was back had no effect. */
    if (snt_is_wanted())
        snt_raise_self();
    return (int64_t)result;
}

/* ---- handlers ------------------------------------------------------------------------------------------ */

int32_t sn_on_checkpoint(sn_handler handler, void *argument)
{
    struct snt_record *record = snt_caller(__func__);
    if (snt_place_of((uint64_t)(uintptr_t)handler) == SNT_FOREIGN)
        return EINVAL;
    if (record->handler_count == SNT_HANDLERS_MAX)
        return ENOSPC;
    /* Complete before it counts: the thread may be interrupted between. */
    record->handlers[record->handler_count] =
        (struct snt_handler){(uint64_t)(uintptr_t)handler, (uint64_t)(uintptr_t)argument};
    __atomic_store_n(&record->handler_count, record->handler_count + 1, __ATOMIC_SEQ_CST);
    return 0;
}

int32_t sn_remove_handler(sn_handler handler, void *argument)
{
    struct snt_record *record = snt_caller(__func__);
    uint32_t at = record->handler_count;
    while (at > 0 && (record->handlers[at - 1].function != (uint64_t)(uintptr_t)handler ||
                      record->handlers[at - 1].argument != (uint64_t)(uintptr_t)argument))
        at--;
    if (at == 0)
        return ENOENT;
    sn_critical_enter();
    for (; at < record->handler_count; at++)
        record->handlers[at - 1] = record->handlers[at];
    record->handler_count--;
    sn_critical_exit();
    return 0;
}

static int32_t tell(struct snt_worker *worker, uint32_t at, int32_t what)
{
    const struct snt_handler *handler = &worker->record->handlers[at];
    worker->in_handler = 1;
    int32_t result = ((sn_handler)(uintptr_t)handler->function)((void *)(uintptr_t)handler->argument, what);
    worker->in_handler = 0;
    return result;
}

/*
 * 0, or ECANCELED: one would rather not, and those that were asked before it have been told that the thread
 * goes on.
 */
int32_t snt_ask_handlers(struct snt_worker *worker)
{
    uint32_t count = worker->record->handler_count;
    for (uint32_t at = count; at > 0; at--) {
        if (tell(worker, at - 1, SN_CHECKPOINT) == 0)
            continue;
        for (uint32_t asked = at; asked < count; asked++)
            tell(worker, asked, SN_CONTINUE);
        return ECANCELED;
    }
    return 0;
}

void snt_tell_handlers(struct snt_worker *worker, int32_t what)
{
    for (uint32_t at = 0; at < worker->record->handler_count; at++)
        tell(worker, at, what);
}
