/*
 * sync_faults.c: preloaded into a program, makes one fsync of it fail as a disk does that loses a write-back. It stands
 * below the library and below .NET, so what both do with the answer of the real call is what is tested.
 *
 *   FAULT_PATH    part of the path of the files it is about
 *   FAULT_NTH     which of their syncs fails, from 1
 *   FAULT_ERRNO   with what
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int s_seen;

static int number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text == NULL ? 0 : atoi(text);
}

static int is_about(int fd)
{
    const char *part = getenv("FAULT_PATH");
    char link[64];
    char path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (part == NULL || length < 0)
        return 0;
    path[length] = '\0';
    return strstr(path, part) != NULL;
}

int fsync(int fd)
{
    if (is_about(fd) && atomic_fetch_add(&s_seen, 1) + 1 == number_of("FAULT_NTH")) {
        errno = number_of("FAULT_ERRNO");
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}
