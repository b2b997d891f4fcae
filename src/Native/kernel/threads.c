/*
 * threads.c: the lives of the threads: from pthread_create to their function and back, or into a captured context.
 *
 * A thread has two stacks. glibc's is in a zone at a fixed address, so that the thread control block, and with it every
 * address of a thread-local, is where it was; it is not captured. Its function runs on one in an arena, which has no
 * trace of the other: when the function returns, the way back is that of the process that then runs it.
 */
#include "kernel.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

HIDDEN struct snk_process snk_process;

uint32_t snk_abi_version(void)
{
    return SNK_ABI_VERSION;
}

void snk_futex_wait(uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
}

void snk_futex_wake(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static uint64_t fs_base(void)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    return self;
}

struct snk_worker *snk_worker_of_this_thread(void)
{
    return &snk_process.workers[(fs_base() - SNK_HOST_BASE) / SNK_HOST_BYTES];
}

/* ---- the signal --------------------------------------------------------------------------------------------- */

/* Workers take the capture signal, what a fault raises, and the two that glibc sends; nothing that the process gets. */
static void block_all_but(int32_t open, sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, 32, 33};
    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(set, faults[i]);
    if (open != 0)
        sigdelset(set, open);
}

int32_t snk_open(int32_t signal_number)
{
    struct sigaction before, action = {.sa_sigaction = snk_on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    if (sigaction(signal_number, NULL, &before) != 0)
        return errno;
    if (before.sa_handler != SIG_DFL)
        return EBUSY;
    uint64_t bytes = SNK_THREADS_MAX * SNK_HOST_BYTES;
    void *zone = mmap((void *)(uintptr_t)SNK_HOST_BASE, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED_NOREPLACE, -1, 0);
    if (zone == MAP_FAILED)
        return errno;
    sigfillset(&action.sa_mask);
    if (sigaction(signal_number, &action, NULL) != 0)
        return errno;
    snk_process.signal = signal_number;
    snk_process.pid = getpid();
    pthread_mutex_init(&snk_process.starting, NULL);
    return snk_find_own();
}

/* ---- a thread's life ---------------------------------------------------------------------------------------- */

/* The function has returned, on the arena's stack: back to this process's. */
uint64_t snk_leave(const struct snk_record *record)
{
    struct snk_worker *worker = &snk_process.workers[record->slot];
    __asm__ volatile("movq %0, %%fs:0x28\n\tmovq %1, %%fs:0x30" : : "r"(worker->host_canary), "r"(worker->host_guard));
    return worker->host_rsp;
}

static void copy_thread_locals(const struct snk_record *record)
{
    for (uint32_t i = 0; i < snk_process.module_count; i++) {
        const struct snk_module *module = &snk_process.modules[i];
        if (module->tls_bytes != 0)
            memcpy((void *)(uintptr_t)(fs_base() - module->tls_offset), record->tls + module->tls_at, module->tls_bytes);
    }
}

/* On the host stack. Returns when its function has; for a restored one, by way of the captured snk_enter. */
static void run(struct snk_worker *worker)
{
    struct snk_record *record = worker->record;
    if (record->state == SNK_STATE_STARTING) {
        snk_enter(record, &worker->host_rsp);
        return;
    }
    copy_thread_locals(record);
    errno = record->saved_errno;
    snk_enter_captured(record, &worker->host_rsp);
}

static void *host(void *argument)
{
    struct snk_worker *worker = argument;
    struct snk_record *record = worker->record;
    stack_t stack = {.ss_sp = (void *)(uintptr_t)record->signal_stack, .ss_size = SNK_SIGNAL_STACK_BYTES};
    sigset_t set;
    sigaltstack(&stack, NULL);
    worker->tid = (int32_t)syscall(SYS_gettid);
    __asm__("movq %%fs:0x28, %0\n\tmovq %%fs:0x30, %1" : "=r"(worker->host_canary), "=r"(worker->host_guard));
    while (__atomic_load_n(&snk_process.gone, __ATOMIC_ACQUIRE) == 0)
        snk_futex_wait(&snk_process.gone, 0, -1);

    /*
     * From here on it is waited for. Whoever restores a context does not take the signal before: its frame would be
     * written where the context lies. The context's own mask lets it in.
     */
    __atomic_store_n(&worker->phase, WORKER_OPEN, __ATOMIC_SEQ_CST);
    if ((__atomic_load_n(&snk_process.wanted, __ATOMIC_SEQ_CST) & 1) != 0)
        snk_signal(worker);
    if (record->state == SNK_STATE_STARTING) {
        block_all_but(snk_process.signal, &set);
        pthread_sigmask(SIG_SETMASK, &set, NULL);
    }

    run(worker);

    block_all_but(0, &set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    __atomic_store_n(&worker->phase, WORKER_CLOSED, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&snk_process.arrivals, 1, __ATOMIC_SEQ_CST);
    snk_futex_wake(&snk_process.arrivals);
    snk_futex_wake((uint32_t *)&record->state); /* who waits for its end */
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    return NULL;
}

/* The slot of a captured thread is the one it had; another gets one that is free. */
static struct snk_worker *take_slot(struct snk_record *record)
{
    if (record->state == SNK_STATE_RUNNING) {
        struct snk_worker *worker = &snk_process.workers[record->slot % SNK_THREADS_MAX];
        return record->slot < SNK_THREADS_MAX && worker->phase == WORKER_FREE ? worker : NULL;
    }
    for (uint32_t slot = 0; slot < SNK_THREADS_MAX; slot++) {
        if (snk_process.workers[slot].phase == WORKER_FREE) {
            record->slot = slot;
            return &snk_process.workers[slot];
        }
    }
    return NULL;
}

static int32_t create(struct snk_worker *worker)
{
    pthread_attr_t attributes;
    sigset_t set, before;
    void *stack = (void *)(uintptr_t)(SNK_HOST_BASE + worker->record->slot * SNK_HOST_BYTES);
    int32_t error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    error = pthread_attr_setstack(&attributes, stack, SNK_HOST_BYTES);
    block_all_but(0, &set);
    pthread_sigmask(SIG_SETMASK, &set, &before);
    if (error == 0)
        error = pthread_create(&worker->thread, &attributes, host, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

int32_t snk_thread_start(struct snk_record *record)
{
    /* Held while threads are stopped: none begins then. */
    pthread_mutex_lock(&snk_process.starting);
    struct snk_worker *worker = take_slot(record);
    int32_t error = worker == NULL ? EAGAIN : 0;
    if (error == 0) {
        *worker = (struct snk_worker){.record = record, .phase = WORKER_CLOSED};
        error = create(worker);
        if (error != 0)
            worker->phase = WORKER_FREE;
    }
    pthread_mutex_unlock(&snk_process.starting);
    return error;
}

void snk_go(void)
{
    __atomic_store_n(&snk_process.gone, 1, __ATOMIC_SEQ_CST);
    snk_futex_wake(&snk_process.gone);
}

int32_t snk_thread_join(struct snk_record *record)
{
    struct snk_worker *worker = &snk_process.workers[record->slot];
    int32_t error = pthread_join(worker->thread, NULL);
    if (error != 0)
        return error;
    pthread_mutex_lock(&snk_process.starting);
    worker->phase = WORKER_FREE;
    pthread_mutex_unlock(&snk_process.starting);
    return 0;
}
