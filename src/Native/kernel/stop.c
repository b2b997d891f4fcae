/*
 * stop.c: stopping all threads, and letting them go on.
 *
 * `wanted` is odd while threads are to be parked. A thread that takes the signal while it is, parks for that number, or
 * arms itself to come back, or runs on and is sent the signal again. Who becomes open, or ends, during a stop: see
 * threads.c; each advances `arrivals`, on which the stopping thread sleeps.
 */
#include "kernel.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PATIENCE_NS INT64_C(200000)
#define LAST_PATIENCE_NS INT64_C(5000000)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void snk_signal(const struct snk_worker *worker)
{
    syscall(SYS_tgkill, snk_process.pid, worker->tid, snk_process.signal);
}

/* The first thread that is not parked yet, from `slot` on, or SNK_THREADS_MAX. */
static uint32_t next_late(uint32_t slot, uint32_t stop)
{
    for (; slot < SNK_THREADS_MAX; slot++) {
        const struct snk_worker *worker = &snk_process.workers[slot];
        if (__atomic_load_n(&worker->phase, __ATOMIC_SEQ_CST) == WORKER_OPEN &&
            __atomic_load_n(&worker->parked, __ATOMIC_ACQUIRE) != stop)
            break;
    }
    return slot;
}

static uint32_t signal_late(uint32_t stop)
{
    uint32_t late = 0;
    for (uint32_t slot = next_late(0, stop); slot < SNK_THREADS_MAX; slot = next_late(slot + 1, stop)) {
        snk_signal(&snk_process.workers[slot]);
        late++;
    }
    return late;
}

int32_t snk_stop(int64_t timeout_ns)
{
    int64_t deadline = now_ns() + timeout_ns, patience = FIRST_PATIENCE_NS;
    pthread_mutex_lock(&snk_process.starting);
    uint32_t stop = __atomic_add_fetch(&snk_process.wanted, 1, __ATOMIC_SEQ_CST);
    signal_late(stop);
    int64_t again = now_ns() + patience;
    for (;;) {
        uint32_t seen = __atomic_load_n(&snk_process.arrivals, __ATOMIC_SEQ_CST);
        if (next_late(0, stop) == SNK_THREADS_MAX)
            return 0;
        int64_t now = now_ns();
        if (now >= deadline)
            break;
        if (now >= again) {
            signal_late(stop);
            patience = patience * 2 < LAST_PATIENCE_NS ? patience * 2 : LAST_PATIENCE_NS;
            again = now_ns() + patience;
        }
        snk_futex_wait(&snk_process.arrivals, seen, again - now > 0 ? again - now : 1);
    }
    uint32_t slot = next_late(0, stop);
    snk_process.late = slot;
    snk_resume();
    return ETIMEDOUT;
}

int32_t snk_late(struct snk_record **record, uint64_t *pc, int32_t *reason)
{
    if (snk_process.late >= SNK_THREADS_MAX)
        return ENOENT;
    const struct snk_worker *worker = &snk_process.workers[snk_process.late];
    *record = worker->record;
    *pc = worker->pc;
    *reason = worker->reason;
    return 0;
}

void snk_resume(void)
{
    __atomic_add_fetch(&snk_process.wanted, 1, __ATOMIC_SEQ_CST);
    snk_futex_wake(&snk_process.wanted);
    pthread_mutex_unlock(&snk_process.starting);
}
