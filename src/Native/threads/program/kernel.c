/*
 * kernel.c: the kernel's calls on files. Made inline, so that a thread never stands in libc with a
 * descriptor.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>

#define PAGE_BYTES 4096u
#define EXIT_ENVIRONMENT 3u /* as the command has it */
#define AT_ITSELF 0x1000u   /* AT_EMPTY_PATH */

static uint64_t word(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

void snt_say(const char *text)
{
    snt_call(SYS_write, 2, word(text), strlen(text), 0, 0, 0);
}

void snt_program_fail(const char *which, const char *what)
{
    snt_say("snapshot exec: ");
    snt_say(which);
    snt_say(what);
    snt_say("\n");
    for (;;)
        snt_call(SYS_exit_group, EXIT_ENVIRONMENT, 0, 0, 0, 0, 0);
}

void snt_touch_to_read(const void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        (void)*((const volatile char *)data + at);
    if (bytes > 0)
        (void)*((const volatile char *)data + bytes - 1);
}

void snt_touch_to_write(void *data, size_t bytes)
{
    volatile char *memory = data;
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        memory[at] = memory[at];
    if (bytes > 0)
        memory[bytes - 1] = memory[bytes - 1];
}

/* Not waiting: the other end of a pipe may never come. */
int64_t snt_open_path(const char *path, int32_t flags)
{
    snt_touch_to_read(path, strlen(path));
    return snt_call(SYS_openat, (uint64_t)AT_FDCWD, word(path), (uint64_t)(flags | O_CLOEXEC | O_NONBLOCK),
                    0666, 0, 0);
}

int64_t snt_look(int32_t descriptor, struct statx *found)
{
    memset(found, 0, sizeof *found);
    return snt_call(SYS_statx, (uint64_t)descriptor, word(""), AT_ITSELF, STATX_BASIC_STATS, word(found), 0);
}

char *snt_absolute(const char *path)
{
    char folder[SNT_PATH_BYTES] = "";
    if (path[0] != '/' && snt_call(SYS_getcwd, word(folder), sizeof folder - 1, 0, 0, 0, 0) < 0)
        return NULL;
    size_t before = strlen(folder), bytes = strlen(path) + 1;
    char *joined = sn_malloc(before + 1 + bytes);
    if (joined == NULL)
        return NULL;
    memcpy(joined, folder, before);
    if (before > 0)
        joined[before++] = '/';
    memcpy(joined + before, path, bytes);
    return joined;
}

int64_t snt_path_of(int32_t number, char path[SNT_PATH_BYTES])
{
    char link[] = "/proc/self/fd/0";
    link[sizeof link - 2] = (char)('0' + number);
    memset(path, 0, SNT_PATH_BYTES);
    return snt_call(SYS_readlinkat, (uint64_t)AT_FDCWD, word(link), word(path), SNT_PATH_BYTES - 1, 0, 0);
}

void snt_close(int32_t descriptor)
{
    snt_call(SYS_close, (uint64_t)descriptor, 0, 0, 0, 0, 0);
}
