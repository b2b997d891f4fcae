/*
 * start.c: the calls that a program makes before it has a handle. They start the runtime of .NET, which
 * ignores SIGPIPE from then on, so that `program | head` would not end; a program's signals are its own, so
 * the disposition is put back. Nothing else of the process changes but handlers for SIGSEGV and SIGFPE, which
 * pass on what is not theirs, and for the runtime's own signal (signals.c).
 */
#include "library.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static int s_fork_error;
static volatile int s_is_forked_child;

static void before_fork(void)
{
    if (!s_is_forked_child)
        sn_managed_before_fork();
}

/* In the child, before fork returns: a store is async-signal-safe. */
static void in_child(void)
{
    s_is_forked_child = 1;
}

static void start(void)
{
    struct sigaction before;
    int error = sigaction(SIGPIPE, NULL, &before);
    sn_managed_start();
    if (error == 0)
        sigaction(SIGPIPE, &before, NULL);
    s_fork_error = pthread_atfork(before_fork, NULL, in_child);
}

int32_t sn_is_forked_child(void)
{
    return s_is_forked_child;
}

static int require_runtime(void)
{
    static const char TEXT[] = "The process has no memory for handlers of fork (pthread_atfork).";
    pthread_once(&s_once, start);
    if (s_fork_error == 0)
        return 0;
    sn_error_set(SNAPSHOT_OUT_OF_MEMORY, TEXT, (int32_t)strlen(TEXT));
    return -SNAPSHOT_OUT_OF_MEMORY;
}

SNAPSHOT_API int snapshot_open(const char *store, const snapshot_options *options, snapshot_session **session)
{
    int error = require_runtime();
    return error != 0 ? error : sn_managed_open(store, options, session);
}

SNAPSHOT_API int snapshot_store_open(const char *directory, snapshot_store **store)
{
    int error = require_runtime();
    return error != 0 ? error : sn_managed_store_open(directory, store);
}

SNAPSHOT_API int snapshot_job_open_with(const struct snm_calls *calls, int32_t communicator,
                                        const char *directory, const snapshot_job_options *options,
                                        snapshot_job **job)
{
    int error = require_runtime();
    return error != 0 ? error : sn_managed_job_open(calls, communicator, directory, options, job);
}
