/*
 * file.c: what .NET cannot ask of a file: direct I/O once it is open,
 * a sync that tells its error, a durable directory.
 */
#include "snapshot_native.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int32_t sn_file_set_direct(int32_t fd, int32_t on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return errno;
    flags = on != 0 ? flags | O_DIRECT : flags & ~O_DIRECT;
    return fcntl(fd, F_SETFL, flags) < 0 ? errno : 0;
}

int32_t sn_file_sync(int32_t fd)
{
    return fsync(fd) < 0 ? errno : 0;
}

int32_t sn_directory_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int32_t error = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return error;
}
