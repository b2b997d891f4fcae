/*
 * stream.c: buffers between the program and its files. A buffer has either what was read ahead or what is to
 * be written; it is captured, so that nothing needs to be written before an image.
 */
#include "program.h"

#include <errno.h>
#include <string.h>

HIDDEN struct snt_stream snt_standard[3];

static int32_t failed(struct snt_stream *stream, int64_t error)
{
    stream->head._flags |= SNT_ERROR;
    errno = (int32_t)-error;
    return -1;
}

static int32_t has_buffer(struct snt_stream *stream)
{
    if (stream->buffer != NULL)
        return 1;
    if (stream->room == 0)
        stream->room = SNT_BUFFER_BYTES;
    stream->buffer = sn_malloc(stream->room);
    return stream->buffer != NULL;
}

/* What was read ahead is not taken: the place of the file is that of the program. */
static void forget_read(struct snt_stream *stream)
{
    stream->offset -= (int64_t)(stream->end - stream->first) + stream->pushed_count;
    stream->first = stream->end = 0;
    stream->pushed_count = 0;
}

static int32_t begin_read(struct snt_stream *stream)
{
    if (stream->file == NULL || (stream->mode & SNT_READS) == 0)
        return failed(stream, -EBADF);
    return stream->pending == 0 ? 0 : snt_stream_flush(stream);
}

static int32_t begin_write(struct snt_stream *stream)
{
    if (stream->file == NULL || (stream->mode & SNT_WRITES) == 0)
        return failed(stream, -EBADF);
    if (stream->end != 0 || stream->pushed_count != 0)
        forget_read(stream);
    return has_buffer(stream) ? 0 : failed(stream, -ENOMEM);
}

int32_t snt_stream_fill(struct snt_stream *stream)
{
    if (begin_read(stream) != 0 || (stream->head._flags & SNT_EOF) != 0)
        return -1;
    if (!has_buffer(stream))
        return failed(stream, -ENOMEM);
    sn_critical_enter();
    stream->first = stream->end = 0;
    int64_t got = snt_file_read(stream, stream->buffer, stream->room);
    if (got > 0)
        stream->end = (size_t)got;
    sn_critical_exit();
    if (got < 0)
        return failed(stream, got);
    if (got == 0)
        stream->head._flags |= SNT_EOF;
    return got == 0 ? -1 : 0;
}

/* What has been written leaves the buffer in the same critical section: an image has it before, or after. */
static int64_t write_once(struct snt_stream *stream)
{
    int32_t is_placed = (stream->mode & SNT_SERIAL) == 0;
    snt_before_write(stream);
    if (is_placed)
        sn_critical_enter();
    int64_t done = snt_file_write(stream, stream->buffer, stream->pending);
    if (done > 0) {
        stream->pending -= (size_t)done;
        memmove(stream->buffer, stream->buffer + done, stream->pending);
    }
    if (is_placed)
        sn_critical_exit();
    return done;
}

/* What cannot be written is given up, as libc does: the program is told, and may go on. */
int32_t snt_stream_flush(struct snt_stream *stream)
{
    while (stream->pending > 0) {
        int64_t done = write_once(stream);
        if (done <= 0) {
            stream->pending = 0;
            return failed(stream, done == 0 ? -EIO : done);
        }
    }
    return 0;
}

int32_t snt_stream_flush_all(void)
{
    int32_t result = 0;
    for (struct snt_stream *stream = snt_streams; stream != NULL; stream = stream->next) {
        if (snt_stream_flush(stream) != 0)
            result = -1;
    }
    return result;
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

int32_t snt_stream_get(struct snt_stream *stream)
{
    if (stream->pushed_count > 0)
        return stream->pushed[--stream->pushed_count];
    if (stream->first == stream->end && snt_stream_fill(stream) != 0)
        return EOF;
    return stream->buffer[stream->first++];
}

int32_t snt_stream_unget(struct snt_stream *stream, int32_t character)
{
    if (character == EOF || begin_read(stream) != 0 || stream->pushed_count == sizeof stream->pushed)
        return EOF;
    stream->pushed[stream->pushed_count++] = (unsigned char)character;
    stream->head._flags &= ~SNT_EOF;
    return (unsigned char)character;
}

size_t snt_stream_read(struct snt_stream *stream, void *data, size_t bytes)
{
    unsigned char *to = data;
    size_t left = bytes;
    while (left > 0 && stream->pushed_count > 0) {
        *to++ = stream->pushed[--stream->pushed_count];
        left--;
    }
    while (left > 0) {
        size_t part = stream->end - stream->first;
        if (part == 0) {
            if (snt_stream_fill(stream) != 0)
                break;
            continue;
        }
        if (part > left)
            part = left;
        memcpy(to, stream->buffer + stream->first, part);
        stream->first += part;
        to += part;
        left -= part;
    }
    return bytes - left;
}

/* What fits into no buffer goes out from where it is. */
static size_t write_through(struct snt_stream *stream, const unsigned char *from, size_t bytes)
{
    size_t left = bytes;
    if (snt_stream_flush(stream) != 0)
        return 0;
    while (left >= stream->room) {
        snt_before_write(stream);
        int64_t done = snt_file_write(stream, from + (bytes - left), left);
        if (done <= 0) {
            failed(stream, done == 0 ? -EIO : done);
            break;
        }
        left -= (size_t)done;
    }
    return bytes - left;
}

/* Whether what is in the buffer is to go out now. */
static int32_t is_due(const struct snt_stream *stream, const unsigned char *from, size_t bytes)
{
    return stream->buffering == _IONBF || (stream->buffering == _IOLBF && memchr(from, '\n', bytes) != NULL);
}

size_t snt_stream_write(struct snt_stream *stream, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    size_t done = 0;
    if (bytes == 0 || begin_write(stream) != 0)
        return 0;
    while (done < bytes) {
        size_t part = bytes - done, space = stream->room - stream->pending;
        if (part >= stream->room) {
            size_t passed = write_through(stream, from + done, part);
            done += passed;
            if (passed == 0)
                return done;
            continue;
        }
        if (space == 0) {
            if (snt_stream_flush(stream) != 0)
                return done;
            continue;
        }
        if (part > space)
            part = space;
        memcpy(stream->buffer + stream->pending, from + done, part);
        stream->pending += part;
        done += part;
    }
    if (is_due(stream, from, bytes) && snt_stream_flush(stream) != 0)
        return 0;
    return bytes;
}

int32_t snt_stream_put(struct snt_stream *stream, int32_t character)
{
    unsigned char byte = (unsigned char)character;
    if (stream->buffering == _IOFBF && stream->pending > 0 && stream->pending < stream->room - 1) {
        stream->buffer[stream->pending++] = byte;
        return byte;
    }
    return snt_stream_write(stream, &byte, 1) == 1 ? byte : EOF;
}

/* ---- places -------------------------------------------------------------------------------------------- */

int64_t snt_stream_place(struct snt_stream *stream)
{
    if (stream->file == NULL || (stream->mode & (SNT_SERIAL | SNT_STANDARD)) != 0) {
        errno = stream->file == NULL ? EBADF : ESPIPE;
        return -1;
    }
    int64_t at =
        stream->pending > 0 && (stream->mode & SNT_APPENDS) != 0 ? stream->file->size : stream->offset;
    return at + (int64_t)stream->pending - (int64_t)(stream->end - stream->first) - stream->pushed_count;
}

int32_t snt_stream_seek(struct snt_stream *stream, int64_t offset, int32_t whence)
{
    int64_t place = snt_stream_place(stream), size = 0;
    if (place < 0 || snt_stream_flush(stream) != 0)
        return -1;
    if (whence == SEEK_END && (size = snt_file_size(stream)) < 0)
        return failed(stream, size);
    int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? place : size, target;
    if ((whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) ||
        __builtin_add_overflow(from, offset, &target) || target < 0) {
        errno = EINVAL;
        return -1;
    }
    stream->first = stream->end = 0;
    stream->pushed_count = 0;
    stream->offset = target;
    stream->head._flags &= ~SNT_EOF;
    return 0;
}
