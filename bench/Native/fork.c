/*
 * fork.c: the baseline of a checkpoint by fork(), as Redis takes it. The kernel's own copy-on-write starts at the fork
 * and lasts as long as the child lives.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/*
 * Forks a child that only waits to be killed, and dies with its parent. Every signal that can be is blocked in it:
 * handlers of a runtime whose other threads are not there must not run. Returns 0 and its id, or errno.
 */
EXPORT int32_t sn_bench_fork(int32_t *child)
{
    sigset_t all, before;
    sigfillset(&all);
    int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed != 0) return failed;
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(1);
        for (;;) pause();
    }
    int32_t result = pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *child = pid;
    return result;
}

/* Kills that child and waits until its memory is gone. Returns 0, or errno. */
EXPORT int32_t sn_bench_end_child(int32_t child)
{
    if (kill(child, SIGKILL) != 0) return errno;
    while (waitpid(child, NULL, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}
