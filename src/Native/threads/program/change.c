/*
 * change.c: what cannot be done twice. A process that goes on from an image does again what its predecessor
 * did since. Writing the same to the same place is then the same; but what was truncated, overwritten,
 * renamed or removed is not there to be read once more. So before such a change the program waits for an
 * image in which it is about to do it: no older one will be gone on from.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

/* In a blocked call, so that the command's checkpoint takes place; it reads captured memory only. */
static int64_t ask(void *argument)
{
    const struct snt_program_start *start = argument;
    int32_t asks = start->asks, answers = start->answers;
    char byte = 0;
    if (snt_call(SYS_write, (uint64_t)asks, (uint64_t)(uintptr_t)&byte, 1, 0, 0, 0) != 1)
        return 0;
    while (snt_call(SYS_read, (uint64_t)answers, (uint64_t)(uintptr_t)&byte, 1, 0, 0, 0) == -EINTR)
        continue;
    return 0;
}

void snt_ask_for_image(void)
{
    sn_critical_enter();
    snt_files_settle();
    sn_critical_exit();
    sn_blocked_call(ask, snt_start);
}

void snt_before_truncation(const char *path)
{
    char *full = snt_absolute(path);
    struct snt_file *file = full == NULL ? NULL : snt_file_at(full);
    sn_free(full);
    if (file == NULL || (!file->in_image && !file->was_read))
        return;
    snt_ask_for_image();
    file->in_image = file->streams > 0;
    file->was_read = 0;
}

void snt_before_write(const struct snt_stream *stream)
{
    struct snt_file *file = stream->file;
    if ((stream->mode & (SNT_SERIAL | SNT_STANDARD | SNT_APPENDS)) != 0 || !file->was_read ||
        stream->offset >= file->size)
        return;
    snt_ask_for_image();
    file->was_read = 0;
}

/* ---- removing and renaming ----------------------------------------------------------------------------- */

static int32_t is_there(const char *path)
{
    int64_t descriptor = snt_open_path(path, O_PATH | O_NOFOLLOW);
    if (descriptor >= 0)
        snt_close((int32_t)descriptor);
    return descriptor >= 0;
}

static int64_t remove_at(const char *path)
{
    uint64_t here = (uint64_t)AT_FDCWD, name = (uint64_t)(uintptr_t)path;
    int64_t result = snt_call(SYS_unlinkat, here, name, 0, 0, 0, 0);
    return result == -EISDIR ? snt_call(SYS_unlinkat, here, name, AT_REMOVEDIR, 0, 0, 0) : result;
}

static int64_t rename_at(const char *from, const char *to)
{
    uint64_t here = (uint64_t)AT_FDCWD;
    return snt_call(SYS_renameat, here, (uint64_t)(uintptr_t)from, here, (uint64_t)(uintptr_t)to, 0, 0);
}

/* The file that was at `to` is no more, and that at `from`, if the program had it, is there now. */
static void moved(const char *from, char *to)
{
    struct snt_file *file = to == NULL ? NULL : snt_file_at(to);
    if (file != NULL)
        file->is_kept = file->in_image = file->was_read = 0;
    file = snt_file_at(from);
    if (file == NULL)
        return;
    file->in_image = file->was_read = 0;
    if (to == NULL) {
        file->is_kept = 0;
        return;
    }
    sn_free(file->path);
    file->path = snt_absolute(to);
    if (file->path == NULL)
        snt_program_fail("", "the heap is full.");
}

static int32_t is_open(const char *path)
{
    const struct snt_file *file = path == NULL ? NULL : snt_file_at(path);
    return file != NULL && file->streams > 0;
}

/*
 * An image before, in which it is about to happen, and one behind: else the next process would do it once
 * more, to what the program has put there since. What is gone in between, the predecessor has done.
 */
static int32_t change(const char *from, char *to)
{
    sn_critical_enter();
    int32_t error = !is_there(from) ? ENOENT : is_open(from) || is_open(to) ? EBUSY : 0;
    sn_critical_exit();
    if (error != 0)
        return error;
    snt_ask_for_image();
    sn_critical_enter();
    snt_touch_to_read(from, strlen(from));
    if (to != NULL)
        snt_touch_to_read(to, strlen(to));
    int64_t result = to == NULL ? remove_at(from) : rename_at(from, to);
    if (result == 0 || result == -ENOENT)
        moved(from, to);
    sn_critical_exit();
    if (result < 0 && result != -ENOENT)
        return (int32_t)-result;
    snt_ask_for_image();
    return 0;
}

int32_t snt_remove(const char *path)
{
    char *full = snt_absolute(path);
    int32_t error = full == NULL ? ENOMEM : change(full, NULL);
    sn_free(full);
    return error;
}

int32_t snt_rename(const char *from, const char *to)
{
    char *before = snt_absolute(from), *behind = snt_absolute(to);
    int32_t error = before == NULL || behind == NULL ? ENOMEM : change(before, behind);
    sn_free(before);
    sn_free(behind);
    return error;
}

/* ---- sleeping ------------------------------------------------------------------------------------------ */

static int64_t sleep_blocked(void *argument)
{
    uint64_t left = (uint64_t)(uintptr_t)argument;
    struct timespec time = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    uint64_t at = (uint64_t)(uintptr_t)&time;
    while (snt_call(SYS_nanosleep, at, at, 0, 0, 0, 0) == -EINTR)
        continue;
    return 0;
}

void snt_program_sleep(uint64_t nanoseconds)
{
    sn_critical_enter();
    snt_files_settle();
    sn_critical_exit();
    sn_blocked_call(sleep_blocked, (void *)(uintptr_t)nanoseconds);
}
