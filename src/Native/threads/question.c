/*
 * question.c: the thread's side of what it asks of the host.
 *
 * Right wherever the thread is captured: before the record says ASKED, nobody knows of it; while it does, the
 * next process's host finds it when it looks through the records, and the thread, which sleeps again or looks
 * again, finds the answer; after ANSWERED nobody but the thread touches it. Only the word of snt_questions is
 * the process's, and it is advanced by whichever process the thread is in by then.
 *
 * In a critical section the thread cannot be parked while it waits, and whoever answers may be stopping it:
 * it is told.
 */
#include "call.h"
#include "native_thread.h"

#include <string.h>

#include "../invariant.h"

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
    uint32_t state = __atomic_exchange_n(&record->question.state, SNT_ANSWERED, __ATOMIC_RELEASE);
    /* Else the next question would seem answered before it is asked. */
    SN_INVARIANT(state == SNT_ASKED, "only what was asked is answered");
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
