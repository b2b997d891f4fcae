/*
 * files.c: files that the program writes itself. Whatever has its last name is whole and durable: it is
 * written under NAME.new, synced, and renamed; the directory is synced after that.
 */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES (1 << 20)

void vs_file_path(const char *directory, const char *label, int version, char path[2 * PATH_MAX])
{
    snprintf(path, 2 * PATH_MAX, "%s/%s-%d-%d.dat", directory, label, g_client.rank, version);
}

static int copy(int from, int to)
{
    char *buffer = malloc(COPY_BYTES);
    ssize_t got = -1;
    while (buffer != NULL && (got = read(from, buffer, COPY_BYTES)) > 0) {
        for (ssize_t done = 0, put; done < got; done += put) {
            put = write(to, buffer + done, (size_t)(got - done));
            if (put < 0) {
                free(buffer);
                return errno;
            }
        }
    }
    free(buffer);
    return buffer == NULL ? ENOMEM : got < 0 ? errno : 0;
}

/* Gives NAME.new its name, durably. */
static int rename_new(const char *directory, const char *name)
{
    char unfinished[2 * PATH_MAX + 8];
    snprintf(unfinished, sizeof unfinished, "%s.new", name);
    int file = open(unfinished, O_RDONLY | O_CLOEXEC), folder = open(directory, O_RDONLY | O_CLOEXEC);
    int error = file < 0 || folder < 0 ? errno : 0;
    if (error == 0 && (fsync(file) != 0 || rename(unfinished, name) != 0 || fsync(folder) != 0))
        error = errno;
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    return error;
}

void vs_drop_file(const char *label, int version)
{
    char name[2 * PATH_MAX], unfinished[2 * PATH_MAX + 8];
    vs_file_path(g_client.scratch, label, version, name);
    snprintf(unfinished, sizeof unfinished, "%s.new", name);
    unlink(unfinished);
}

/* Copies a file that has its name into another directory, durably. */
static int publish(const char *from, const char *directory, const char *name)
{
    char unfinished[2 * PATH_MAX + 8];
    snprintf(unfinished, sizeof unfinished, "%s.new", name);
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = source < 0 || target < 0 ? errno : copy(source, target);
    if (source >= 0)
        close(source);
    if (target >= 0 && close(target) != 0 && error == 0)
        error = errno;
    return error != 0 ? error : rename_new(directory, name);
}

int vs_fetch_file(const char *label, int version)
{
    char name[2 * PATH_MAX], kept[2 * PATH_MAX];
    vs_file_path(g_client.scratch, label, version, name);
    if (access(name, R_OK) == 0)
        return VELOC_SUCCESS;
    if (g_client.persistent[0] == 0)
        return VELOC_FAILURE;
    vs_file_path(g_client.persistent, label, version, kept);
    if (access(kept, R_OK) != 0)
        return VELOC_FAILURE;
    int error = publish(kept, g_client.scratch, name);
    return error == 0 ? VELOC_SUCCESS : vs_fail("%s cannot be copied to %s: %s", kept, name, strerror(error));
}

/* The version in the name of a file of this label and rank, or -1. */
static int version_in(const char *file, const char *label)
{
    char *end;
    size_t length = strlen(label);
    if (strncmp(file, label, length) != 0 || file[length] != '-')
        return -1;
    if (strtol(file + length + 1, &end, 10) != g_client.rank || *end != '-')
        return -1;
    long version = strtol(end + 1, &end, 10);
    return strcmp(end, ".dat") != 0 || version < 0 || version > INT_MAX ? -1 : (int)version;
}

static int newest_in(const char *directory, const char *label, int bound)
{
    int newest = -1;
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        int version = version_in(entry->d_name, label);
        if (version <= bound && version > newest)
            newest = version;
    }
    if (folder != NULL)
        closedir(folder);
    return newest;
}

int vs_newest_file(const char *label, int bound)
{
    int here = newest_in(g_client.scratch, label, bound);
    int kept = g_client.persistent[0] != 0 ? newest_in(g_client.persistent, label, bound) : -1;
    return here > kept ? here : kept;
}

/* Removes all but the newest versions. */
static void prune(const char *directory, const char *label, int keep)
{
    char path[2 * PATH_MAX];
    int version = newest_in(directory, label, INT_MAX);
    for (int seen = 1; version >= 0; seen++) {
        vs_file_path(directory, label, version, path);
        if (seen > keep)
            unlink(path);
        version = version == 0 ? -1 : newest_in(directory, label, version - 1);
    }
}

int vs_commit_file(const char *label, int version)
{
    char name[2 * PATH_MAX], kept[2 * PATH_MAX];
    vs_file_path(g_client.scratch, label, version, name);
    int error = rename_new(g_client.scratch, name);
    if (error != 0)
        return vs_fail("%s.new cannot be made durable: %s", name, strerror(error));
    if (g_client.persistent[0] == 0) {
        prune(g_client.scratch, label, g_client.keep);
        return VELOC_SUCCESS;
    }
    vs_file_path(g_client.persistent, label, version, kept);
    error = publish(name, g_client.persistent, kept);
    if (error == 0) {
        prune(g_client.persistent, label, g_client.keep);
        prune(g_client.scratch, label, g_client.keep_in_scratch);
    }
    return error == 0 ? VELOC_SUCCESS : vs_fail("%s cannot be copied to %s: %s", name, kept, strerror(error));
}

void vs_remove_files(const char *directory, const char *label)
{
    char path[3 * PATH_MAX];
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (version_in(entry->d_name, label) < 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
}

int vs_remove_directory(const char *path)
{
    char file[3 * PATH_MAX];
    DIR *folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? VELOC_SUCCESS : vs_fail("%s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        unlink(file);
    }
    closedir(folder);
    return rmdir(path) == 0 ? VELOC_SUCCESS : vs_fail("%s: %s", path, strerror(errno));
}
