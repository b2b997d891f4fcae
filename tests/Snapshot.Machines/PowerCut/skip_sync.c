/*
 * skip_sync.c: a machine on which some syncs do nothing. Preloaded into a program, it answers fsync and fdatasync
 * with success and without having called the kernel, for what the variable SKIP_SYNC names: "manifest", "image",
 * "directory" or "all". It shows that a checker of power cuts finds a sync that was left out.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *kind_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return "directory";

    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return "";
    path[length] = '\0';
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (strncmp(name, "manifest", strlen("manifest")) == 0)
        return "manifest";
    return strstr(name, ".snapshot") != NULL ? "image" : "";
}

static int is_skipped(int fd)
{
    const char *skipped = getenv("SKIP_SYNC");
    return skipped != NULL && (strcmp(skipped, "all") == 0 || strcmp(skipped, kind_of(fd)) == 0);
}

int fsync(int fd)
{
    return is_skipped(fd) ? 0 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return is_skipped(fd) ? 0 : (int)syscall(SYS_fdatasync, fd);
}
