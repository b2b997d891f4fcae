/*
 * fork.c: the baseline of a checkpoint by fork(), as Redis takes it. The kernel's own copy-on-write starts at
 * the fork and lasts as long as the child lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/*
 * Forks a child that only waits to be killed, and dies with its parent. Every signal that can be is blocked
 * in it: handlers of a runtime whose other threads are not there must not run. Returns 0 and its id, or
 * errno.
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

/* Switches direct I/O on for a file that is open. Returns 0, or errno. */
EXPORT int32_t sn_bench_set_direct(int32_t file)
{
    int flags = fcntl(file, F_GETFL);
    if (flags < 0 || fcntl(file, F_SETFL, flags | O_DIRECT) != 0) return errno;
    return 0;
}

static int write_all(int file, const char *memory, int64_t bytes)
{
    const int64_t most = 4 << 20;
    while (bytes > 0) {
        ssize_t written = write(file, memory, (size_t)(bytes < most ? bytes : most));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written == 0 ? EIO : errno;
        memory += written;
        bytes -= written;
    }
    return fsync(file) == 0 ? 0 : errno;
}

/*
 * Forks a child that writes the memory as it is now to a file and syncs it. Its result comes through a pipe,
 * whose end is returned: the runtime may wait for children, too, and be first. Returns 0, or errno.
 */
EXPORT int32_t sn_bench_fork_write(int32_t file, const char *memory, int64_t bytes, int32_t *result)
{
    sigset_t all, before;
    sigfillset(&all);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed != 0) return failed;
    pid_t pid = fork();
    if (pid == 0) {
        int32_t error = write_all(file, memory, bytes);
        _exit(write(ends[1], &error, sizeof error) == sizeof error ? 0 : 1);
    }
    int32_t error = pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    *result = ends[0];
    return error;
}

/* Waits for the result of that child: 0, or errno. */
EXPORT int32_t sn_bench_await_result(int32_t result)
{
    int32_t error = 0;
    ssize_t got;
    do
        got = read(result, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(result);
    return got == sizeof error ? error : EIO;
}
