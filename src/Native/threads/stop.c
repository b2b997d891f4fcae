/*
 * stop.c: stopping all threads, and letting them go on.
 *
 * `wanted` is odd while threads are to be parked. A thread that takes the signal while it is, parks for that
 * number, or arms itself to come back, or runs on and is sent the signal again. Whoever becomes open, ends,
 * or enters a blocked call during a stop: see threads.c and entry_calls.c. Each of these advances `arrivals`;
 * the one that makes it `awaited` wakes the stopping thread, which looks at all threads again. So does a
 * thread that asks in a critical section: it waits for the host, which is the one that stops, so the stop is
 * given up until it has its answer.
 */
#include "call.h"
#include "native_thread.h"

#include "../invariant.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PATIENCE_NS INT64_C(200000)
#define LAST_PATIENCE_NS INT64_C(5000000)
#define NEVER (UINT32_C(1) << 30)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The signal is queued: another one is sent only when the last has been handled. */
void snt_signal(struct snt_worker *worker)
{
    if (__atomic_exchange_n(&worker->sent, 1, __ATOMIC_SEQ_CST) != 0)
        return;
    int64_t result = snt_call(SYS_tgkill, (uint64_t)snt_process.pid, (uint64_t)worker->tid,
                              (uint64_t)snt_process.signal, 0, 0, 0);
    if (result < 0)
        __atomic_store_n(&worker->sent, 0, __ATOMIC_SEQ_CST);
}

/* The stopping thread looks at all threads again. */
void snt_look_again(void)
{
    __atomic_add_fetch(&snt_process.complete, 1, __ATOMIC_SEQ_CST);
    snt_wake(&snt_process.complete, 1);
}

void snt_arrive(void)
{
    uint32_t arrivals = __atomic_add_fetch(&snt_process.arrivals, 1, __ATOMIC_SEQ_CST);
    if ((int32_t)(arrivals - __atomic_load_n(&snt_process.awaited, __ATOMIC_SEQ_CST)) < 0)
        return;
    snt_look_again();
}

/* The first thread that is not stopped yet, from `seat` on, or SNT_THREADS_MAX. */
static uint32_t next_late(uint32_t seat, uint32_t stop)
{
    uint32_t seats = __atomic_load_n(&snt_process.seats, __ATOMIC_SEQ_CST);
    for (; seat < seats; seat++) {
        const struct snt_worker *worker = &snt_process.workers[seat];
        if (__atomic_load_n(&worker->phase, __ATOMIC_SEQ_CST) == WORKER_OPEN &&
            __atomic_load_n(&worker->blocked, __ATOMIC_SEQ_CST) == 0 &&
            __atomic_load_n(&worker->parked, __ATOMIC_ACQUIRE) != stop)
            return seat;
    }
    return SNT_THREADS_MAX;
}

/* *asking: whether one of them waits for an answer in a critical section. */
static uint32_t count_late(uint32_t stop, int32_t *asking)
{
    uint32_t late = 0;
    *asking = 0;
    for (uint32_t seat = next_late(0, stop); seat < SNT_THREADS_MAX; seat = next_late(seat + 1, stop)) {
        const struct snt_worker *worker = &snt_process.workers[seat];
        late++;
        *asking |= __atomic_load_n(&worker->critical, __ATOMIC_SEQ_CST) != 0 &&
                   __atomic_load_n(&worker->record->question.state, __ATOMIC_SEQ_CST) == SNT_ASKED;
    }
    return late;
}

static void signal_late(uint32_t stop)
{
    for (uint32_t seat = next_late(0, stop); seat < SNT_THREADS_MAX; seat = next_late(seat + 1, stop))
        snt_signal(&snt_process.workers[seat]);
}

/* A nice value would do, too, but the scheduler makes whoever lowers itself again pay for the time before. */
void snt_hurry(void)
{
    struct sched_param first = {.sched_priority = 1};
    snt_process.hurries = __atomic_load_n(&snt_process.keeps_priorities, __ATOMIC_RELAXED) == 0 &&
                          sched_getscheduler(0) == SCHED_OTHER &&
                          sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

void snt_keep_priorities(int32_t keep)
{
    __atomic_store_n(&snt_process.keeps_priorities, keep != 0, __ATOMIC_RELAXED);
}

void snt_hurry_no_more(void)
{
    struct sched_param none = {.sched_priority = 0};
    if (snt_process.hurries)
        sched_setscheduler(0, SCHED_OTHER, &none);
}

/*
 * Waits for those that are to be stopped. Whoever asks makes the question known first, and then advances
 * `complete`.
 */
static int32_t await(uint32_t stop, int64_t deadline)
{
    int64_t patience = FIRST_PATIENCE_NS, again = now_ns() + patience;
    for (;;) {
        uint32_t complete = __atomic_load_n(&snt_process.complete, __ATOMIC_SEQ_CST);
        int32_t asking;
        uint32_t arrivals = __atomic_load_n(&snt_process.arrivals, __ATOMIC_SEQ_CST),
                 late = count_late(stop, &asking);
        if (late == 0)
            return 0;
        if (asking)
            return EAGAIN;
        __atomic_store_n(&snt_process.awaited, arrivals + late, __ATOMIC_SEQ_CST);
        if ((int32_t)(__atomic_load_n(&snt_process.arrivals, __ATOMIC_SEQ_CST) - (arrivals + late)) >= 0)
            continue;
        int64_t now = now_ns();
        if (now >= deadline) {
            snt_process.late = next_late(0, stop);
            return snt_process.late == SNT_THREADS_MAX ? 0 : ETIMEDOUT;
        }
        if (now >= again) {
            signal_late(stop);
            patience = patience * 2 < LAST_PATIENCE_NS ? patience * 2 : LAST_PATIENCE_NS;
            again = now + patience;
        }
        int64_t until = again < deadline ? again : deadline;
        struct timespec limit = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        snt_sleep_until(&snt_process.complete, complete, 0, &limit);
    }
}

int32_t snt_stop(int64_t timeout_ns)
{
    int64_t deadline = now_ns() + timeout_ns;
    pthread_mutex_lock(&snt_process.starting);
    snt_hurry();
    for (uint32_t seat = 0; seat < snt_process.seats; seat++) {
        snt_process.workers[seat].reason = SNT_LATE_UNKNOWN;
        snt_process.workers[seat].pc = 0;
    }
    uint32_t stop = __atomic_add_fetch(&snt_process.wanted, 1, __ATOMIC_SEQ_CST);
    signal_late(stop);
    int32_t error = await(stop, deadline);
    /* Whoever arrives without having been waited for, when a blocked call returns, wakes nobody. */
    __atomic_store_n(&snt_process.awaited, __atomic_load_n(&snt_process.arrivals, __ATOMIC_SEQ_CST) + NEVER,
                     __ATOMIC_SEQ_CST);
    snt_hurry_no_more();
    if (error != 0)
        snt_resume();
    return error;
}

int32_t snt_late(struct snt_record **record, uint64_t *pc, int32_t *reason)
{
    if (snt_process.late >= SNT_THREADS_MAX)
        return ENOENT;
    const struct snt_worker *worker = &snt_process.workers[snt_process.late];
    *record = worker->record;
    *pc = worker->pc;
    *reason = worker->reason;
    return 0;
}

void snt_resume(void)
{
    snt_hurry();
    uint32_t stop = __atomic_fetch_add(&snt_process.wanted, 1, __ATOMIC_SEQ_CST);
    /* Else threads would park from now on though nobody captures them, and stay parked. */
    SN_INVARIANT((stop & 1) != 0, "only what was stopped is resumed");
    snt_wake(&snt_process.wanted, INT32_MAX);
    snt_hurry_no_more();
    pthread_mutex_unlock(&snt_process.starting);
}
