/*
 * lock.c: the lock of a store. An flock belongs to the open file, which a forked child shares: the child
 * would keep the lock when its parent is killed, and nobody could go on. So a child closes what it inherits
 * of them, at once.
 */
#include "snapshot_native.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCKS_MAX 1024

/*
 * Descriptors of locks, plus one; 0: a free place. A place is taken by one exchange, and freed by its owner.
 */
static atomic_int s_locked[LOCKS_MAX];
static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static int s_fork_error;

/* In the child, before fork returns: close alone is called, which is async-signal-safe. */
static void close_in_child(void)
{
    for (int i = 0; i < LOCKS_MAX; i++) {
        int fd = atomic_exchange(&s_locked[i], 0) - 1;
        if (fd >= 0)
            close(fd);
    }
}

static void watch_forks(void)
{
    s_fork_error = pthread_atfork(NULL, NULL, close_in_child);
}

/* Recorded before it is locked: a fork in between closes one that is not. */
static int32_t record(int32_t fd)
{
    for (int i = 0; i < LOCKS_MAX; i++) {
        int unused = 0;
        if (atomic_compare_exchange_strong(&s_locked[i], &unused, fd + 1))
            return 0;
    }
    return ENFILE;
}

static void forget(int32_t fd)
{
    for (int i = 0; i < LOCKS_MAX; i++) {
        int mine = fd + 1;
        if (atomic_compare_exchange_strong(&s_locked[i], &mine, 0))
            return;
    }
}

int32_t sn_lock_acquire(int32_t fd)
{
    pthread_once(&s_once, watch_forks);
    if (s_fork_error != 0)
        return s_fork_error;
    int32_t error = record(fd);
    if (error != 0)
        return error;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        error = errno;
        forget(fd);
        return error;
    }
    return 0;
}

void sn_lock_release(int32_t fd)
{
    forget(fd);
    flock(fd, LOCK_UN);
}
