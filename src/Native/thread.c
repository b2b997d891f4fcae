/* thread.c: the priority of one thread. */
#include "snapshot_native.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int32_t sn_thread_nice(int32_t nice, int32_t *raised)
{
    /*
     * To Linux, which is of another mind than POSIX here, 0 is the calling thread, and a process id its first
     * one.
     */
    errno = 0;
    int first = getpriority(PRIO_PROCESS, (id_t)getpid());
    int now = getpriority(PRIO_PROCESS, 0);
    if (errno != 0)
        return errno;
    int wanted = first + nice < -20 ? -20 : first + nice > 19 ? 19 : first + nice;
    *raised = wanted < now;
    if (wanted == now)
        return 0;
    return setpriority(PRIO_PROCESS, 0, wanted) < 0 ? errno : 0;
}

int32_t sn_thread_time(uint64_t *time)
{
    struct timespec used;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
        return errno;
    *time = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
    return 0;
}
