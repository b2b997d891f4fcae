/*
 * runtime.h: what the test program and its modules of the runtime's functions share; see module.h for the
 * other one.
 */
#ifndef SNAPSHOT_MODULE_TEST_RUNTIME_H
#define SNAPSHOT_MODULE_TEST_RUNTIME_H

#include "../snapshot_module.h"

#include <stdint.h>

enum {
    RUNTIME_HEAP,    /* allocates, resizes and frees; checks what is in the blocks */
    RUNTIME_MUTEX,   /* several: counts under one mutex */
    RUNTIME_BARRIER, /* several: each phase needs what the others computed in the last */
    RUNTIME_PRODUCE, /* a queue of one, with a mutex and a condition */
    RUNTIME_CONSUME,
    RUNTIME_BLOCKED,   /* sleeps in blocked calls */
    RUNTIME_HANDLER,   /* checkpoint handlers, one of which refuses now and then */
    RUNTIME_CRITICAL,  /* holds the process's id in critical sections; safepoints between */
    RUNTIME_QUESTION,  /* asks the host for memory and roots, also in critical sections */
    RUNTIME_SORT,      /* sorting by the shim */
    RUNTIME_TRAP,      /* the handler of another signal runs on top of it most of the time */
    RUNTIME_EXCEPTION, /* C++: exceptions, also through qsort */
    RUNTIME_LIBRARY,   /* C++: containers and strings */
    RUNTIME_STD_MUTEX, /* C++, several: std::mutex and std::condition_variable */
    RUNTIME_KINDS,
    RUNTIME_READ = 100, /* reads a descriptor in a blocked call */
    RUNTIME_STUCK,      /* stays in a critical section until `rounds` is 0 */
    RUNTIME_REFUSE,     /* its handler refuses until `rounds` is 0 */
    RUNTIME_ASK,        /* the same, and then asks for memory in it */
    RUNTIME_SPIN,       /* counts in `hash` until `rounds` is 0 */
    RUNTIME_NOTHING,    /* returns */
};

#define RUNTIME_BARRIER_THREADS 3u

struct runtime_shared {
    sn_mutex mutex;
    sn_condition condition;
    uint64_t counter;
    uint64_t queue;
    uint64_t queue_full;
    uint64_t values[2][RUNTIME_BARRIER_THREADS];
    sn_barrier barrier;
};

struct runtime_job {
    uint64_t kind;
    uint64_t rounds;
    uint64_t index; /* among those of its kind */
    uint64_t hash;
    uint64_t wrong; /* the first check that failed, or 0 */
    struct runtime_shared *shared;
};

#endif
