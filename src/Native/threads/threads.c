/*
 * threads.c: the lives of the threads: from pthread_create to their function and back, or into a captured
 * context.
 *
 * A thread has two stacks. glibc's is in a zone at a fixed address, so that the thread control block, and
 * with it every address of a thread-local, is where it was; it is not captured. Its function runs on one in
 * an arena, which has no trace of the other: when the function returns, the way back is that of the process
 * that then runs it.
 */
#include "call.h"
#include "native_thread.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../invariant.h"

uint32_t snt_abi_version(void)
{
    return SNT_ABI_VERSION;
}

/* ---- the signal ---------------------------------------------------------------------------------------- */

/*
 * Workers take the capture signal, what a fault raises, and the two that glibc sends; nothing that the
 * process gets.
 */
static void block_all_but(int32_t open, sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, 32, 33};
    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(set, faults[i]);
    if (open != 0)
        sigdelset(set, open);
}

int32_t snt_open(int32_t signal_number)
{
    struct sigaction before,
        action = {.sa_sigaction = snt_on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    if (sigaction(signal_number, NULL, &before) != 0)
        return errno;
    if (before.sa_handler != SIG_DFL)
        return EBUSY;
    uint64_t bytes = SNT_THREADS_MAX * SNT_HOST_BYTES;
    void *zone = mmap((void *)(uintptr_t)SNT_HOST_BASE, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED_NOREPLACE, -1, 0);
    if (zone == MAP_FAILED)
        return errno;
    sigfillset(&action.sa_mask);
    if (sigaction(signal_number, &action, NULL) != 0)
        return errno;
    snt_process.signal = signal_number;
    snt_process.pid = getpid();
    pthread_mutex_init(&snt_process.starting, NULL);
    return snt_find_own();
}

/* ---- a thread's life ----------------------------------------------------------------------------------- */

static void copy_thread_locals(const struct snt_record *record)
{
    for (uint32_t i = 0; i < snt_process.module_count; i++) {
        const struct snt_module *module = &snt_process.modules[i];
        if (module->tls_bytes != 0)
            memcpy((void *)(uintptr_t)(snt_thread_pointer() - module->tls_offset),
                   record->tls + module->tls_at, module->tls_bytes);
    }
}

/* On the host stack. Returns when its function has; for a restored one, by way of the captured snt_enter. */
static void run(struct snt_worker *worker)
{
    struct snt_record *record = worker->record;
    if (record->state == SNT_STATE_STARTING) {
        snt_enter(record, &worker->host_rsp);
        return;
    }
    snt_tell_handlers(worker, SN_RESTART);
    errno = record->saved_errno;
    if (record->blocked != 0)
        snt_enter_blocked(record, &worker->host_rsp);
    else
        snt_enter_captured(record, &worker->host_rsp);
}

/*
 * From here on it is waited for. Whoever restores a context does not take the signal before: its frame would
 * be written where the context lies. The context's own mask lets it in.
 */
static void open_to_stops(struct snt_worker *worker)
{
    sigset_t set;
    __atomic_store_n(&worker->phase, WORKER_OPEN, __ATOMIC_SEQ_CST);
    if (snt_is_wanted())
        snt_signal(worker);
    if (worker->record->frame == 0) {
        block_all_but(snt_process.signal, &set);
        pthread_sigmask(SIG_SETMASK, &set, NULL);
    }
}

static void *host(void *argument)
{
    struct snt_worker *worker = argument;
    struct snt_record *record = worker->record;
    stack_t stack = {.ss_sp = (void *)(uintptr_t)record->signal_stack, .ss_size = SNT_SIGNAL_STACK_BYTES};
    sigset_t set;
    sigaltstack(&stack, NULL);
    worker->tid = (int32_t)snt_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
    __asm__("movq %%fs:0x28, %0\n\tmovq %%fs:0x30, %1" : "=r"(worker->host_canary), "=r"(worker->host_guard));
    if (record->state == SNT_STATE_RUNNING)
        copy_thread_locals(record);
    while (__atomic_load_n(&snt_process.held, __ATOMIC_ACQUIRE) != 0)
        snt_sleep(&snt_process.held, 1);

    open_to_stops(worker);
    run(worker);

    block_all_but(0, &set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    __atomic_store_n(&worker->phase, WORKER_CLOSED, __ATOMIC_SEQ_CST);
    snt_arrive();
    snt_wake((uint32_t *)&record->state, INT32_MAX); /* whoever waits for its end */
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    return NULL;
}

/* The seat of a captured thread is the one it had; another gets one that is free. */
static struct snt_worker *take_seat(struct snt_record *record)
{
    if (record->state == SNT_STATE_RUNNING) {
        struct snt_worker *worker = &snt_process.workers[record->seat % SNT_THREADS_MAX];
        return record->seat < SNT_THREADS_MAX &&
                       (worker->phase == WORKER_FREE || worker->phase == WORKER_KEPT)
                   ? worker
                   : NULL;
    }
    for (uint32_t seat = 0; seat < SNT_THREADS_MAX; seat++) {
        if (snt_process.workers[seat].phase == WORKER_FREE) {
            record->seat = seat;
            return &snt_process.workers[seat];
        }
    }
    return NULL;
}

static int32_t create(struct snt_worker *worker)
{
    pthread_attr_t attributes;
    sigset_t set, before;
    void *stack = (void *)(uintptr_t)(SNT_HOST_BASE + worker->record->seat * SNT_HOST_BYTES);
    int32_t error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    error = pthread_attr_setstack(&attributes, stack, SNT_HOST_BYTES);
    block_all_but(0, &set);
    pthread_sigmask(SIG_SETMASK, &set, &before);
    if (error == 0)
        error = pthread_create(&worker->thread, &attributes, host, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

int32_t snt_seat_keep(const struct snt_record *record)
{
    struct snt_worker *worker = &snt_process.workers[record->seat % SNT_THREADS_MAX];
    if (record->seat >= SNT_THREADS_MAX || worker->phase != WORKER_FREE)
        return EAGAIN;
    worker->phase = WORKER_KEPT;
    return 0;
}

int32_t snt_thread_start(struct snt_record *record)
{
    /* Held while threads are stopped: none begins then. */
    pthread_mutex_lock(&snt_process.starting);
    struct snt_worker *worker = take_seat(record);
    int32_t error = worker == NULL ? EAGAIN : 0;
    if (error == 0) {
        *worker = (struct snt_worker){.record = record, .phase = WORKER_CLOSED};
        if (record->seat >= snt_process.seats)
            __atomic_store_n(&snt_process.seats, record->seat + 1, __ATOMIC_SEQ_CST);
        if (record->state == SNT_STATE_STARTING)
            record->frame = record->blocked = record->handler_count = 0;
        error = create(worker);
        if (error != 0)
            worker->phase = WORKER_FREE;
    }
    pthread_mutex_unlock(&snt_process.starting);
    return error;
}

void snt_hold(void)
{
    __atomic_store_n(&snt_process.held, 1, __ATOMIC_SEQ_CST);
}

void snt_go(void)
{
    pthread_mutex_lock(&snt_process.starting);
    snt_hurry();
    __atomic_store_n(&snt_process.held, 0, __ATOMIC_SEQ_CST);
    snt_wake(&snt_process.held, INT32_MAX);
    snt_hurry_no_more();
    pthread_mutex_unlock(&snt_process.starting);
}

int32_t snt_thread_join(struct snt_record *record)
{
    struct snt_worker *worker = &snt_process.workers[record->seat];
    int32_t error = pthread_join(worker->thread, NULL);
    if (error != 0)
        return error;
    /* Else a thread that still runs would share its seat, and with it its host stack, with the next one. */
    SN_INVARIANT(worker->phase == WORKER_CLOSED, "a seat is freed when its thread has ended");
    pthread_mutex_lock(&snt_process.starting);
    worker->phase = WORKER_FREE;
    pthread_mutex_unlock(&snt_process.starting);
    return 0;
}
