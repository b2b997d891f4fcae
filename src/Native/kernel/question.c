/*
 * question.c: the thread's side of what it asks of the host.
 *
 * Right wherever the thread is captured: before the record says ASKED, nobody knows of it; while it does, the next
 * process's host finds it when it looks through the records, and the thread, which sleeps again or looks again, finds
 * the answer; after ANSWERED nobody but the thread touches it. Only the word of snk_questions is the process's, and it
 * is advanced by whichever process the thread is in by then.
 *
 * In a critical section the thread cannot be parked while it waits, and whoever answers may be stopping it: it is told.
 */
#include "call.h"
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

void snk_die(const char *function, const char *what)
{
    const char *const parts[] = {"snapshot: ", function, ": ", what, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        snk_call(SYS_write, 2, (uint64_t)(uintptr_t)parts[i], strlen(parts[i]), 0, 0, 0);
    abort();
}

struct snk_record *snk_caller(const char *function)
{
    struct snk_worker *worker = snk_worker_of_this_thread();
    if (worker == NULL)
        snk_die(function, "called by a thread that is not a native thread of Snapshot's");
    if (worker->in_handler != 0)
        snk_die(function, "called by a checkpoint handler");
    if (worker->blocked != 0)
        snk_die(function, "called by the function of sn_blocked_call");
    return worker->record;
}

uint64_t snk_ask(uint32_t kind, uint64_t first, uint64_t second)
{
    struct snk_question *question = &snk_caller("sn_*")->question;
    question->kind = kind;
    question->arguments[0] = first;
    question->arguments[1] = second;
    __atomic_store_n(&question->state, SNK_ASKED, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&snk_process.questions, 1, __ATOMIC_SEQ_CST);
    snk_wake(&snk_process.questions, INT32_MAX);
    if (snk_worker_of_this_thread()->critical != 0)
        snk_look_again();
    while (__atomic_load_n(&question->state, __ATOMIC_ACQUIRE) != SNK_ANSWERED)
        snk_sleep(&question->state, SNK_ASKED);
    uint64_t answer = question->answer;
    __atomic_store_n(&question->state, SNK_IDLE, __ATOMIC_RELEASE);
    return answer;
}

uint32_t *snk_questions(void)
{
    return &snk_process.questions;
}

void snk_answered(struct snk_record *record)
{
    __atomic_store_n(&record->question.state, SNK_ANSWERED, __ATOMIC_RELEASE);
    snk_wake(&record->question.state, INT32_MAX);
}

void *sn_arena_allocate(size_t bytes, size_t alignment)
{
    return (void *)(uintptr_t)snk_ask(SNK_ASKS_ALLOCATE, bytes, alignment);
}

int32_t sn_arena_free(void *block)
{
    return (int32_t)snk_ask(SNK_ASKS_FREE, (uint64_t)(uintptr_t)block, 0);
}

void *sn_root(const char *name, size_t *bytes)
{
    uint64_t length = strlen(name);
    if (bytes != NULL)
        *bytes = snk_ask(SNK_ASKS_ROOT_BYTES, (uint64_t)(uintptr_t)name, length);
    return (void *)(uintptr_t)snk_ask(SNK_ASKS_ROOT, (uint64_t)(uintptr_t)name, length);
}
