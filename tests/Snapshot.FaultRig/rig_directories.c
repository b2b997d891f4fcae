/*
 * rig_directories.c: reading a directory, which libc does with memory of its own.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

static struct dirent *(*s_readdir)(DIR *);
static DIR *(*s_opendir)(const char *);
static int (*s_closedir)(DIR *);

/* At the first call: constructors of other libraries may read directories before those of this one have run. */
static void load(void)
{
    if (s_closedir != NULL)
        return;
    *(void **)&s_readdir = rig_real("readdir64");
    *(void **)&s_opendir = rig_real("opendir");
    *(void **)&s_closedir = rig_real("closedir");
}

DIR *opendir(const char *name)
{
    load();
    if (!rig_is_about(name))
        return s_opendir(name);
    struct rig_call call = { .kind = RIG_OPENDIR, .fd = -1, .path = name };
    DIR *opened = rig_begin(&call) ? s_opendir(name) : NULL;
    if (opened != NULL)
        rig_paths_set(dirfd(opened), name);
    rig_end(&call, opened == NULL ? -1 : dirfd(opened));
    return opened;
}

struct dirent *readdir(DIR *directory)
{
    load();
    char path[PATH_MAX];
    int fd = dirfd(directory);
    if (!rig_paths_get(fd, path, sizeof path))
        return s_readdir(directory);
    struct rig_call call = { .kind = RIG_READDIR, .fd = fd, .path = path };
    int before = errno;
    errno = 0;
    struct dirent *entry = rig_begin(&call) ? s_readdir(directory) : NULL;
    int failed = call.error != 0 || (entry == NULL && errno != 0);
    rig_end(&call, failed ? -1 : entry != NULL);
    if (!failed)
        errno = before;
    return entry;
}
struct dirent64 *readdir64(DIR *) __attribute__((alias("readdir")));

int closedir(DIR *directory)
{
    load();
    rig_paths_set(dirfd(directory), NULL);
    return s_closedir(directory);
}
