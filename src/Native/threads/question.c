/*
 * question.c: the thread's side of what it asks of the host.
 *
 * Right wherever the thread is captured: before the record says ASKED, nobody knows of it; while it does, the next
 * process's host finds it when it looks through the records, and the thread, which sleeps again or looks again, finds
 * the answer; after ANSWERED nobody but the thread touches it. Only the word of snt_questions is the process's, and it
 * is advanced by whichever process the thread is in by then.
 *
 * In a critical section the thread cannot be parked while it waits, and whoever answers may be stopping it: it is told.
 */
#include "call.h"
#include "native_thread.h"

#include <stdlib.h>
#include <string.h>

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

uint64_t snt_ask(uint32_t kind, uint64_t first, uint64_t second)
{
    struct snt_question *question = &snt_caller("sn_*")->question;
    question->kind = kind;
    question->arguments[0] = first;
    question->arguments[1] = second;
    __atomic_store_n(&question->state, SNT_ASKED, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&snt_process.questions, 1, __ATOMIC_SEQ_CST);
    snt_wake(&snt_process.questions, INT32_MAX);
    if (snt_worker_of_this_thread()->critical != 0)
        snt_look_again();
    while (__atomic_load_n(&question->state, __ATOMIC_ACQUIRE) != SNT_ANSWERED)
        snt_sleep(&question->state, SNT_ASKED);
    uint64_t answer = question->answer;
    __atomic_store_n(&question->state, SNT_IDLE, __ATOMIC_RELEASE);
    return answer;
}

uint32_t *snt_questions(void)
{
    return &snt_process.questions;
}

void snt_answered(struct snt_record *record)
{
    __atomic_store_n(&record->question.state, SNT_ANSWERED, __ATOMIC_RELEASE);
    snt_wake(&record->question.state, INT32_MAX);
}

void *sn_arena_allocate(size_t bytes, size_t alignment)
{
    return (void *)(uintptr_t)snt_ask(SNT_ASKS_ALLOCATE, bytes, alignment);
}

int32_t sn_arena_free(void *block)
{
    return (int32_t)snt_ask(SNT_ASKS_FREE, (uint64_t)(uintptr_t)block, 0);
}

void *sn_root(const char *name, size_t *bytes)
{
    uint64_t length = strlen(name);
    if (bytes != NULL)
        *bytes = snt_ask(SNT_ASKS_ROOT_BYTES, (uint64_t)(uintptr_t)name, length);
    return (void *)(uintptr_t)snt_ask(SNT_ASKS_ROOT, (uint64_t)(uintptr_t)name, length);
}
