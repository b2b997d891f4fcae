/*
 * limit_signal.c: SIGXFSZ kept away from a thread that writes a file.
 *
 * A write beyond RLIMIT_FSIZE (ulimit -f) answers EFBIG, and the kernel first sends the writing thread
 * SIGXFSZ, which by default kills the process before the error can be told. What the program does about the
 * signal is its own: neither its disposition nor other threads are touched. The thread blocks it while it
 * writes, and takes away the one that its own write caused. The kernel sends it to the thread, not to the
 * process, so no other thread ever sees it.
 */
#include "snapshot_native.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

static sigset_t limit_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    return set;
}

int32_t sn_limit_signal_hold(int32_t *held)
{
    sigset_t set = limit_signal(), before;
    int error = pthread_sigmask(SIG_BLOCK, &set, &before);
    if (error != 0)
        return error;
    /* Blocked already: whoever did that looks at what is pending, and it stays so. */
    *held = !sigismember(&before, SIGXFSZ);
    return 0;
}

int32_t sn_limit_signal_release(void)
{
    sigset_t set = limit_signal();
    const struct timespec now = {0};
    while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
        ;
    return pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
