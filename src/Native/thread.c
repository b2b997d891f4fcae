/* thread.c: the priority of one thread. */
#include "snapshot_native.h"

#include <errno.h>
#include <sys/resource.h>

int32_t sn_thread_lower(int32_t nice)
{
    /* To Linux, which is of another mind than POSIX here, 0 is the calling thread. */
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 0);
    if (errno != 0)
        return errno;
    if (now >= nice)
        return 0;
    return setpriority(PRIO_PROCESS, 0, nice) < 0 ? errno : 0;
}
