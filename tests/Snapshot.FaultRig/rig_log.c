/*
 * rig_log.c: the recording. One record for each call, in the order in which they were made: while one of a file is
 * recorded no other is made. Little-endian:
 *
 *    0  u32  0x31474952, "RIG1"
 *    4  u16  kind (enum rig_kind; RIG_MARK: a word of the program, in the data)
 *    6  u16  action that was taken (enum rig_action)
 *    8  i32  errno, 0 when it succeeded
 *   12  i32  descriptor that it was about, or -1; opening gives one as the result
 *   16  i64  result
 *   24  i64  offset; -1: where the file stands. Truncating and allocating: the length
 *   32  u64  argument: flags of opening, the request of fcntl and ioctl
 *   40  u32  bytes of the path
 *   44  u32  bytes of the second path, of a rename or a link
 *   48  u64  bytes of data: what was written, as far as it was
 *   56       path, second path, data
 */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct record {
    uint32_t magic;
    uint16_t kind;
    uint16_t action;
    int32_t error;
    int32_t fd;
    int64_t result;
    int64_t offset;
    uint64_t argument;
    uint32_t path_bytes;
    uint32_t path2_bytes;
    uint64_t data_bytes;
};

_Static_assert(sizeof(struct record) == 56, "the format says so");

static pthread_mutex_t s_gate = PTHREAD_MUTEX_INITIALIZER;
static int s_file = -1;

/* With NULL: ends the recording. */
int32_t rig_record(const char *file)
{
    int32_t error = 0;
    pthread_mutex_lock(&s_gate);
    if (s_file >= 0)
        rig_raw(SYS_close, s_file);
    int opened = -1;
    if (file != NULL) {
        opened = (int)rig_raw(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        error = opened < 0 ? errno : 0;
    }
    __atomic_store_n(&s_file, opened, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&s_gate);
    return error;
}

static void append(const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        long count = rig_raw(SYS_write, s_file, at, length);
        if (count <= 0)
            return;
        at += count;
        length -= (size_t)count;
    }
}

static void write_record(const struct rig_call *call, long result)
{
    int is_write = call->kind == RIG_WRITE || call->kind == RIG_MARK;
    size_t data = is_write && result > 0 ? (size_t)result : 0;
    struct record record = {
        .magic = 0x31474952,
        .kind = (uint16_t)call->kind,
        .action = (uint16_t)call->action,
        .error = call->error,
        .fd = call->fd,
        .result = result,
        .offset = call->offset,
        .argument = call->argument,
        .path_bytes = call->path == NULL ? 0 : (uint32_t)strlen(call->path),
        .path2_bytes = call->path2 == NULL ? 0 : (uint32_t)strlen(call->path2),
        .data_bytes = data,
    };
    append(&record, sizeof record);
    append(call->path, record.path_bytes);
    append(call->path2, record.path2_bytes);
    for (int part = 0; part < call->part_count && data > 0; part++) {
        size_t length = call->parts[part].iov_len < data ? call->parts[part].iov_len : data;
        append(call->parts[part].iov_base, length);
        data -= length;
    }
}

/* Calls of files are recorded in the order in which they take effect, the others as they end. */
void rig_log_enter(struct rig_call *call)
{
    if (__atomic_load_n(&s_file, __ATOMIC_ACQUIRE) < 0)
        return;
    call->is_logged = 1;
    if (call->kind < RIG_FILE_KINDS)
        pthread_mutex_lock(&s_gate);
}

void rig_log_leave(struct rig_call *call, long result)
{
    if (!call->is_logged)
        return;
    int error = errno;
    if (call->kind >= RIG_FILE_KINDS)
        pthread_mutex_lock(&s_gate);
    if (s_file >= 0)
        write_record(call, result);
    pthread_mutex_unlock(&s_gate);
    errno = error;
}

void rig_mark(const char *text)
{
    struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
    struct rig_call call = { .kind = RIG_MARK, .fd = -1, .parts = &part, .part_count = 1 };
    rig_log_enter(&call);
    rig_log_leave(&call, (long)part.iov_len);
}
