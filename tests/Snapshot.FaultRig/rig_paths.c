/*
 * rig_paths.c: which descriptor is of which path, for those paths that the rig is about.
 */
#include "rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { DESCRIPTORS = 65536 };

static pthread_mutex_t s_gate = PTHREAD_MUTEX_INITIALIZER;
static char *s_paths[DESCRIPTORS];

/* With NULL: the descriptor is of none. */
void rig_paths_set(int fd, const char *path)
{
    if (fd < 0 || fd >= DESCRIPTORS)
        return;
    if (path == NULL && __atomic_load_n(&s_paths[fd], __ATOMIC_ACQUIRE) == NULL)
        return;
    char *copy = path == NULL ? NULL : strdup(path);
    pthread_mutex_lock(&s_gate);
    char *before = s_paths[fd];
    __atomic_store_n(&s_paths[fd], copy, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&s_gate);
    free(before);
}

int rig_paths_get(int fd, char *to, size_t bytes)
{
    rig_load();
    if (fd < 0 || fd >= DESCRIPTORS || __atomic_load_n(&s_paths[fd], __ATOMIC_ACQUIRE) == NULL)
        return 0;
    pthread_mutex_lock(&s_gate);
    int found = s_paths[fd] != NULL;
    if (found)
        snprintf(to, bytes, "%s", s_paths[fd]);
    pthread_mutex_unlock(&s_gate);
    return found;
}

/* Of a directory that the rig is not about: a file in it may be one. */
static int path_of_directory(int directory, char *to, size_t bytes)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    long length = rig_raw(SYS_readlinkat, AT_FDCWD, link, to, bytes - 1);
    if (length < 0)
        return 0;
    to[length] = '\0';
    return 1;
}

/* The full path of a name beside a directory; whether the rig is about it. */
int rig_paths_at(int directory, const char *name, char *to, size_t bytes)
{
    rig_load();
    if (name == NULL)
        return 0;
    if (name[0] == '/' || directory == AT_FDCWD) {
        snprintf(to, bytes, "%s", name);
        return rig_is_about(to);
    }
    if (!rig_paths_get(directory, to, bytes) && !path_of_directory(directory, to, bytes))
        return 0;
    size_t length = strlen(to);
    if (name[0] != '\0' && strcmp(name, ".") != 0)
        snprintf(to + length, bytes - length, "/%s", name);
    return rig_is_about(to);
}
