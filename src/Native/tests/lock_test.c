/* lock_test.c: one holder at a time, and a forked child is none. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

void test_lock(void)
{
    char path[] = "/tmp/sn-lock-XXXXXX";
    int made = mkstemp(path);
    CHECK(made >= 0);
    close(made);

    int first = open_file(path), second = open_file(path);
    CHECK_EQUAL(sn_lock_acquire(first), 0);
    CHECK_EQUAL(sn_lock_acquire(second), EWOULDBLOCK);

    /*
     * The child outlives the parent's lock: with the file still open in it, the next line but two would fail.
     */
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte = 1;
        CHECK_EQUAL(write(ends[1], &byte, 1), 1);
        for (;;)
            pause();
    }
    char byte;
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    close(first);
    CHECK_EQUAL(sn_lock_acquire(second), 0);
    CHECK_EQUAL(kill(child, SIGKILL), 0);
    CHECK_EQUAL(waitpid(child, NULL, 0), child);

    sn_lock_release(first); /* only forgotten: nobody has that descriptor any more */
    sn_lock_release(second);
    int third = open_file(path);
    CHECK_EQUAL(sn_lock_acquire(third), 0);
    sn_lock_release(third);
    CHECK_EQUAL(sn_lock_acquire(-1), EBADF);
    close(second);
    close(third);
    close(ends[0]);
    close(ends[1]);
    unlink(path);
}
