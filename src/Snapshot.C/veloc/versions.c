/*
 * versions.c: versions of a label on this rank: generations of its store, and files.
 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void vs_store_path(const char *label, char path[2 * PATH_MAX])
{
    const char *directory = g_client.persistent[0] != 0 ? g_client.persistent : g_client.scratch;
    snprintf(path, 2 * PATH_MAX, "%s/%s-%d.snapshot", directory, label, g_client.rank);
}

/* Begins fresh: what a restart brings back was read from images, and the first version is a full one. */
int vs_open_session(struct label *label)
{
    snapshot_options options = SNAPSHOT_OPTIONS;
    char path[2 * PATH_MAX];
    if (label->session != NULL)
        return VELOC_SUCCESS;
    options.start = SNAPSHOT_START_OVER;
    options.keep = g_client.keep;
    vs_store_path(label->name, path);
    if (snapshot_open(path, &options, &label->session) != 0)
        return vs_fail("%s", snapshot_error());
    return VELOC_SUCCESS;
}

static snapshot_generation_info *list(snapshot_store *store, int64_t *count)
{
    *count = snapshot_store_list(store, NULL, 0);
    snapshot_generation_info *generations = calloc((size_t)*count + 1, sizeof *generations);
    if (generations == NULL)
        *count = 0;
    else
        *count = snapshot_store_list(store, generations, *count);
    return generations;
}

/* The version that a tag is, or -1. */
static int version_of(const char *tag)
{
    char *end;
    long version = strtol(tag, &end, 10);
    return tag[0] == 0 || *end != 0 || version < 0 || version > INT_MAX ? -1 : (int)version;
}

int64_t vs_generation_of(snapshot_store *store, int version)
{
    int64_t count, found = 0;
    snapshot_generation_info *generations = list(store, &count);
    for (int64_t i = 0; i < count; i++) {
        if (version_of(generations[i].tag) == version)
            found = generations[i].generation;
    }
    free(generations);
    return found;
}

int vs_newest_version(const char *label, int bound)
{
    char path[2 * PATH_MAX];
    snapshot_store *store;
    int newest = vs_newest_file(label, bound);
    vs_store_path(label, path);
    if (access(path, F_OK) != 0)
        return newest;
    if (snapshot_store_open(path, &store) != 0) {
        vs_fail("%s", snapshot_error());
        return newest;
    }
    int64_t count;
    snapshot_generation_info *generations = list(store, &count);
    for (int64_t i = 0; i < count; i++) {
        int version = version_of(generations[i].tag);
        if (version <= bound && version > newest)
            newest = version;
    }
    free(generations);
    snapshot_store_close(store);
    return newest;
}
