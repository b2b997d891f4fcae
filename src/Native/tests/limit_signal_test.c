/*
 * limit_signal_test.c: a write beyond the limit gives its error and no signal; without the hold it gives the
 * signal.
 */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t s_caught;

static void note(int number)
{
    (void)number;
    s_caught++;
}

static int is_blocked(void)
{
    sigset_t mask;
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    return sigismember(&mask, SIGXFSZ);
}

static void write_beyond(int fd)
{
    char byte = 1;
    CHECK_EQUAL(pwrite(fd, &byte, 1, 8192), -1);
    CHECK_EQUAL(errno, EFBIG);
}

/* In a process of its own: the limit, once lowered, may not be raised again. */
static void run(int fd)
{
    struct rlimit limit = {4096, 4096};
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);

    /* The default action would kill. */
    int32_t held = -1;
    CHECK_EQUAL(sn_limit_signal_hold(&held), 0);
    CHECK_EQUAL(held, 1);
    write_beyond(fd);
    CHECK_EQUAL(sn_limit_signal_release(), 0);
    CHECK_EQUAL(is_blocked(), 0);

    /* A handler of the program hears of its own writes and of no others. */
    struct sigaction action = {.sa_handler = note};
    CHECK_EQUAL(sigaction(SIGXFSZ, &action, NULL), 0);
    CHECK_EQUAL(sn_limit_signal_hold(&held), 0);
    write_beyond(fd);
    CHECK_EQUAL(sn_limit_signal_release(), 0);
    CHECK_EQUAL(s_caught, 0);
    write_beyond(fd);
    CHECK_EQUAL(s_caught, 1);

    /* Nothing pending, and blocked by somebody else. */
    CHECK_EQUAL(sn_limit_signal_hold(&held), 0);
    CHECK_EQUAL(sn_limit_signal_hold(&held), 0);
    CHECK_EQUAL(held, 0);
    CHECK_EQUAL(sn_limit_signal_release(), 0);
    CHECK_EQUAL(is_blocked(), 0);
    CHECK_EQUAL(s_caught, 1);
    exit(0);
}

void test_limit_signal(void)
{
    char path[] = "/tmp/snapshot-native-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQUAL(unlink(path), 0);
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        run(fd);
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(close(fd), 0);
}
