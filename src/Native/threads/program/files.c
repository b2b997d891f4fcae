/*
 * files.c: the open files of a program. A write goes to the place that the program's own variables name, so
 * a process that goes on from an image writes what its predecessor had written since, once more, to the same
 * place. What stands behind is cut off when the file is opened again.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <asm/ioctls.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SERIAL_BYTES 4096u /* of a pipe: so many go in at once */
#define START_BYTES (UINT64_C(8) << 20)
#define START_FLAG 2u /* SYNC_FILE_RANGE_WRITE */
#define KEPT_MAX 16u
#define ENDED_BY_SIGPIPE (128u + SIGPIPE)

HIDDEN struct snt_program_start *snt_start;
HIDDEN struct snt_stream *snt_streams;
static struct snt_file *s_files;

/* Descriptors of files that were closed and are perhaps not on disk. */
static int32_t s_kept[KEPT_MAX];
static uint32_t s_kept_count;

static uint64_t word(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* ---- on disk ------------------------------------------------------------------------------------------- */

static void let_go(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        snt_call(SYS_fdatasync, (uint64_t)s_kept[i], 0, 0, 0, 0, 0);
        snt_close(s_kept[i]);
    }
    s_kept_count -= count;
    for (uint32_t i = 0; i < s_kept_count; i++)
        s_kept[i] = s_kept[i + count];
}

/* What cannot be on disk is an error of the stream. */
void snt_files_settle(void)
{
    let_go(s_kept_count);
    for (struct snt_stream *stream = snt_streams; stream != NULL; stream = stream->next) {
        stream->file->in_image = 1;
        if ((stream->mode & SNT_WRITES) == 0 || !stream->file->is_dirty)
            continue;
        if (snt_call(SYS_fdatasync, (uint64_t)stream->descriptor, 0, 0, 0, 0, 0) < 0)
            stream->head._flags |= SNT_ERROR;
        stream->file->is_dirty = 0;
    }
}

/* Lets the kernel begin with what a checkpoint would else wait for. */
static void wrote(struct snt_stream *stream, uint64_t bytes)
{
    struct snt_file *file = stream->file;
    file->is_dirty = 1;
    file->started += bytes;
    if (file->started < START_BYTES)
        return;
    file->started = 0;
    snt_call(SYS_sync_file_range, (uint64_t)stream->descriptor, 0, 0, START_FLAG, 0, 0);
}

/* ---- which file it is ---------------------------------------------------------------------------------- */

static uint64_t device_of(const struct statx *found)
{
    return makedev(found->stx_dev_major, found->stx_dev_minor);
}

struct snt_file *snt_file_at(const char *path)
{
    struct snt_file *file = s_files;
    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    return file;
}

/* Takes the path. */
static struct snt_file *make(char *path, uint64_t device, uint64_t inode)
{
    struct snt_file *file = sn_calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    *file = (struct snt_file){.next = s_files, .path = path, .device = device, .inode = inode};
    s_files = file;
    return file;
}

/* The one that streams have open already, or that was open by the path; or a new one, which takes the path.
 */
static struct snt_file *file_of(char *path, const struct statx *found)
{
    uint64_t device = device_of(found);
    struct snt_file *file = s_files;
    while (file != NULL && (file->streams == 0 || file->device != device || file->inode != found->stx_ino))
        file = file->next;
    if (file == NULL && (file = snt_file_at(path)) != NULL && file->streams > 0)
        file = NULL;
    if (file != NULL) {
        file->device = device;
        file->inode = found->stx_ino;
        sn_free(path);
        return file;
    }
    return make(path, device, found->stx_ino);
}

static void join(struct snt_stream *stream, struct snt_file *file, int32_t descriptor)
{
    file->streams++;
    file->writers += (stream->mode & SNT_WRITES) != 0;
    stream->file = file;
    stream->descriptor = descriptor;
    stream->next = snt_streams;
    snt_streams = stream;
}

/* ---- opening and closing ------------------------------------------------------------------------------- */

static int32_t open_inside(struct snt_stream *stream, char *path, int32_t flags)
{
    struct statx found;
    int64_t descriptor = snt_open_path(path, flags);
    int64_t result = descriptor < 0 ? descriptor : snt_look((int32_t)descriptor, &found);
    /* What comes out of a pipe or a socket is gone in the next process. */
    if (result >= 0 && (S_ISFIFO(found.stx_mode) || S_ISSOCK(found.stx_mode)))
        result = -ENOTSUP;
    struct snt_file *file = result < 0 ? NULL : file_of(path, &found);
    if (file == NULL) {
        if (descriptor >= 0)
            snt_close((int32_t)descriptor);
        return result < 0 ? (int32_t)-result : ENOMEM;
    }
    if (!S_ISREG(found.stx_mode))
        stream->mode |= SNT_SERIAL;
    else if (file->writers == 0 || (flags & O_TRUNC) != 0)
        file->size = (int64_t)found.stx_size;
    join(stream, file, (int32_t)descriptor);
    return 0;
}

/* Whether a process that goes on from an older image would not know how long the file was. */
static int32_t is_unknown(const struct snt_stream *stream, int32_t flags)
{
    return (stream->mode & (SNT_WRITES | SNT_SERIAL)) == SNT_WRITES && (flags & O_TRUNC) == 0 &&
           !stream->file->is_kept;
}

/* That there was none is read, too: the next process may find the one that the program has made since. */
static int32_t remember_absence(char *path)
{
    struct snt_file *file = snt_file_at(path);
    if (file == NULL)
        file = make(path, 0, 0);
    else
        sn_free(path);
    if (file != NULL)
        file->was_read = 1;
    return ENOENT;
}

int32_t snt_file_open(struct snt_stream *stream, const char *path, int32_t flags)
{
    sn_critical_enter();
    char *full = snt_absolute(path);
    int32_t error = full == NULL ? ENOMEM : open_inside(stream, full, flags);
    if (error == ENOENT && (flags & O_CREAT) == 0)
        error = remember_absence(full);
    else if (error != 0)
        sn_free(full);
    int32_t asks = error == 0 && is_unknown(stream, flags);
    if (asks)
        stream->file->is_kept = 1;
    sn_critical_exit();
    return error != 0 ? error : asks ? -1 : 0;
}

void snt_file_standard(struct snt_stream *stream, int32_t number)
{
    char path[SNT_PATH_BYTES];
    struct statx found = {0};
    sn_critical_enter();
    int32_t is_there = snt_look(number, &found) >= 0;
    int32_t is_file = is_there && S_ISREG(found.stx_mode) && snt_path_of(number, path) > 0;
    char *kept = snt_absolute(is_file ? path : "");
    struct snt_file *file = kept == NULL ? NULL : file_of(kept, &found);
    if (file == NULL)
        snt_program_fail("", "the heap is full at the start.");
    stream->mode = number == 0 ? SNT_READS : SNT_WRITES | SNT_STANDARD;
    if (!is_file)
        stream->mode |= SNT_SERIAL;
    /* /dev/null */
    if (number == 0 &&
        (!is_there || (S_ISCHR(found.stx_mode) && found.stx_rdev_major == 1 && found.stx_rdev_minor == 3)))
        stream->mode |= SNT_EMPTY;
    char terminal[64] = "";
    if (snt_call(SYS_ioctl, (uint64_t)number, TCGETS, word(terminal), 0, 0, 0) >= 0)
        stream->buffering = _IOLBF;
    if (is_file) {
        int64_t at = snt_call(SYS_lseek, (uint64_t)number, 0, SEEK_CUR, 0, 0, 0);
        if (number == 0)
            stream->offset = at;
        int64_t flags = snt_call(SYS_fcntl, (uint64_t)number, F_GETFL, 0, 0, 0, 0);
        file->size = flags >= 0 && (flags & O_APPEND) != 0 ? (int64_t)found.stx_size : at;
        file->is_own = found.stx_size == 0;
    }
    join(stream, file, number);
    sn_critical_exit();
}

static void forget(struct snt_file *file)
{
    struct snt_file **at = &s_files;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    sn_free(file->path);
    sn_free(file);
}

void snt_file_close(struct snt_stream *stream)
{
    struct snt_file *file = stream->file;
    sn_critical_enter();
    for (struct snt_stream **at = &snt_streams; *at != NULL; at = &(*at)->next) {
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    }
    stream->file = NULL;
    file->writers -= (stream->mode & SNT_WRITES) != 0;
    if (file->is_dirty && (stream->mode & SNT_WRITES) != 0 && stream->descriptor > 2) {
        if (s_kept_count == KEPT_MAX)
            let_go(1);
        s_kept[s_kept_count++] = stream->descriptor;
    } else if (stream->descriptor > 2) {
        snt_close(stream->descriptor);
    }
    if (--file->streams == 0 && !file->is_kept && !file->in_image && !file->was_read)
        forget(file);
    sn_critical_exit();
}

int64_t snt_file_size(const struct snt_stream *stream)
{
    struct statx found;
    if (stream->file->writers > 0)
        return stream->file->size;
    sn_critical_enter();
    int64_t result = snt_look(stream->descriptor, &found);
    sn_critical_exit();
    return result < 0 ? result : (int64_t)found.stx_size;
}

/* ---- reading and writing ------------------------------------------------------------------------------- */

int64_t snt_file_read(struct snt_stream *stream, void *data, size_t bytes)
{
    if ((stream->mode & SNT_EMPTY) != 0)
        return 0;
    if (stream->descriptor == 0 && (stream->mode & SNT_SERIAL) != 0)
        snt_program_fail("the program reads standard input, which is a pipe or a terminal: ",
                         "the next process could not read again what this one has read. Give it a file: "
                         "snapshot exec ... -- PROGRAM < FILE");
    sn_critical_enter();
    snt_touch_to_write(data, bytes);
    int64_t result;
    do {
        result = (stream->mode & SNT_SERIAL) != 0
                     ? snt_call(SYS_read, (uint64_t)stream->descriptor, word(data), bytes, 0, 0, 0)
                     : snt_call(SYS_pread64, (uint64_t)stream->descriptor, word(data), bytes,
                                (uint64_t)stream->offset, 0, 0);
    } while (result == -EINTR);
    if (result > 0) {
        stream->offset += result;
        stream->file->was_read = 1;
    }
    sn_critical_exit();
    return result;
}

/* To a place in a file. */
static int64_t write_placed(struct snt_stream *stream, const void *data, size_t bytes)
{
    struct snt_file *file = stream->file;
    if ((stream->mode & SNT_APPENDS) != 0)
        stream->offset = file->size;
    int64_t result = snt_call(SYS_pwrite64, (uint64_t)stream->descriptor, word(data), bytes,
                              (uint64_t)stream->offset, 0, 0);
    if (result <= 0)
        return result;
    stream->offset += result;
    if (file->size < stream->offset)
        file->size = stream->offset;
    wrote(stream, (uint64_t)result);
    return result;
}

/* To where the shell, and what else it started, writes too: behind what is there. */
static int64_t write_behind(struct snt_stream *stream, const void *data, size_t bytes)
{
    int64_t result = snt_call(SYS_write, (uint64_t)stream->descriptor, word(data), bytes, 0, 0, 0);
    if (result <= 0)
        return result;
    int64_t at = snt_call(SYS_lseek, (uint64_t)stream->descriptor, 0, SEEK_CUR, 0, 0, 0);
    if (at >= 0)
        stream->file->size = at;
    wrote(stream, (uint64_t)result);
    return result;
}

struct serial {
    const void *data;
    size_t bytes;
    int32_t descriptor;
};

/* In a blocked call, which only reads captured memory; nobody else changes it, for there is one thread. */
static int64_t write_serial(void *argument)
{
    const struct serial *serial = argument;
    snt_touch_to_read(serial->data, serial->bytes);
    return snt_call(SYS_write, (uint64_t)serial->descriptor, word(serial->data), serial->bytes, 0, 0, 0);
}

/* A reader may let a pipe wait for hours: then checkpoints take place meanwhile. */
static int64_t write_waiting(struct snt_stream *stream, const void *data, size_t bytes)
{
    struct serial serial = {data, bytes < SERIAL_BYTES ? bytes : SERIAL_BYTES, stream->descriptor};
    sn_critical_enter();
    struct pollfd ready = {.fd = stream->descriptor, .events = POLLOUT};
    int64_t result = snt_call(SYS_poll, word(&ready), 1, 0, 0, 0, 0);
    int32_t waits = result == 0;
    if (waits)
        snt_files_settle();
    else
        result = write_serial(&serial);
    sn_critical_exit();
    if (waits)
        result = sn_blocked_call(write_serial, &serial);
    /* .NET ignores SIGPIPE, which would have ended the program. */
    if (result == -EPIPE)
        snt_call(SYS_exit_group, ENDED_BY_SIGPIPE, 0, 0, 0, 0, 0);
    return result;
}

int64_t snt_file_write(struct snt_stream *stream, const void *data, size_t bytes)
{
    int64_t result;
    do {
        if ((stream->mode & SNT_SERIAL) != 0) {
            result = write_waiting(stream, data, bytes);
            continue;
        }
        sn_critical_enter();
        snt_touch_to_read(data, bytes);
        result = (stream->mode & SNT_STANDARD) != 0 ? write_behind(stream, data, bytes)
                                                    : write_placed(stream, data, bytes);
        sn_critical_exit();
    } while (result == -EINTR);
    return result;
}

/* ---- in a new process ---------------------------------------------------------------------------------- */

/*
 * Standard output went into a file, and does so again: what was written since the image goes. Not from a file
 * that had something in it when the program began: others write there too, a script for one.
 */
static void continue_standard(struct snt_stream *stream)
{
    char path[SNT_PATH_BYTES];
    struct statx found;
    struct snt_file *file = stream->file;
    uint64_t descriptor = (uint64_t)stream->descriptor;
    int32_t is_file = snt_look(stream->descriptor, &found) >= 0 && S_ISREG(found.stx_mode);
    stream->mode = SNT_WRITES | SNT_STANDARD | (is_file ? 0 : SNT_SERIAL);
    if (!is_file || !file->is_own)
        return;
    if (snt_path_of(stream->descriptor, path) <= 0 || strcmp(path, file->path) != 0)
        return;
    if ((int64_t)found.stx_size < file->size) {
        snt_say("snapshot exec: note: ");
        snt_say(path);
        snt_say(
            ", into which the program's output goes, is shorter than it was; what is missing does not come "
            "again. Redirect by >> when a program goes on.\n");
        snt_call(SYS_lseek, descriptor, 0, SEEK_END, 0, 0, 0);
        return;
    }
    snt_call(SYS_ftruncate, descriptor, (uint64_t)file->size, 0, 0, 0, 0);
    snt_call(SYS_lseek, descriptor, (uint64_t)file->size, SEEK_SET, 0, 0, 0);
}

/* What the program had not yet written when the image was made goes: it is about to write it. */
static void cut(const struct snt_file *file, uint64_t descriptor, const struct statx *found)
{
    if (S_ISREG(found->stx_mode) && (int64_t)found->stx_size > file->size)
        snt_call(SYS_ftruncate, descriptor, (uint64_t)file->size, 0, 0, 0, 0);
}

static void open_again(struct snt_stream *stream)
{
    int32_t access = (stream->mode & SNT_WRITES) == 0  ? O_RDONLY
                     : (stream->mode & SNT_READS) == 0 ? O_WRONLY
                                                       : O_RDWR;
    struct snt_file *file = stream->file;
    struct statx found;
    int64_t descriptor = snt_open_path(file->path, access);
    if (descriptor < 0 || snt_look((int32_t)descriptor, &found) < 0)
        snt_program_fail(
            file->path,
            " was open when the image was made and cannot be opened now: it was removed, renamed or "
            "closed to this user. Put it back, or begin anew with another store.");
    stream->descriptor = (int32_t)descriptor;
    file->device = device_of(&found);
    file->inode = found.stx_ino;
    if ((stream->mode & (SNT_WRITES | SNT_SERIAL)) != SNT_WRITES)
        return;
    if ((int64_t)found.stx_size < file->size)
        snt_program_fail(
            file->path,
            " is shorter than when the image was made: what the program had written is gone. Put it "
            "back, or begin anew with another store.");
    cut(file, (uint64_t)descriptor, &found);
}

/* Of files that the program had closed: it may be about to append again. */
static void cut_closed(void)
{
    for (struct snt_file *file = s_files; file != NULL; file = file->next) {
        struct statx found;
        if (file->streams > 0 || !file->is_kept)
            continue;
        int64_t descriptor = snt_open_path(file->path, O_WRONLY);
        if (descriptor < 0)
            continue;
        if (snt_look((int32_t)descriptor, &found) >= 0)
            cut(file, (uint64_t)descriptor, &found);
        snt_close((int32_t)descriptor);
    }
}

int32_t snt_files_at_checkpoint(void *argument, int32_t what)
{
    (void)argument;
    if (what == SN_CHECKPOINT)
        snt_files_settle();
    if (what != SN_RESTART)
        return 0;
    s_kept_count = 0;
    for (struct snt_stream *stream = snt_streams; stream != NULL; stream = stream->next) {
        if ((stream->mode & SNT_STANDARD) != 0)
            continue_standard(stream);
        else if (stream->descriptor != 0 || (stream->mode & SNT_SERIAL) == 0)
            open_again(stream);
    }
    cut_closed();
    snt_start->is_continued = 1;
    return 0;
}
