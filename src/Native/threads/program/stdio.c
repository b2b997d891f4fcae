/*
 * stdio.c: what <stdio.h> has to open, place and close streams.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ALSO(name) __attribute__((visibility("hidden"), alias(#name)))

HIDDEN FILE *stdin = &snt_standard[0].head;
HIDDEN FILE *stdout = &snt_standard[1].head;
HIDDEN FILE *stderr = &snt_standard[2].head;

/* The flags of open, or -1: that is no mode, or one whose effect could not be had twice. */
static int32_t flags_of(const char *text, int32_t *mode)
{
    int32_t flags;
    switch (text[0]) {
    case 'r':
        *mode = SNT_READS;
        flags = 0;
        break;
    case 'w':
        *mode = SNT_WRITES;
        flags = O_CREAT | O_TRUNC;
        break;
    case 'a':
        *mode = SNT_WRITES | SNT_APPENDS;
        flags = O_CREAT;
        break;
    default:
        return -1;
    }
    if (strchr(text, '+') != NULL)
        *mode |= SNT_READS | SNT_WRITES;
    /* The next process would find the file that this one has made. */
    if (strchr(text, 'x') != NULL)
        return -1;
    if ((*mode & SNT_WRITES) == 0)
        return flags | O_RDONLY;
    return flags | ((*mode & SNT_READS) == 0 ? O_WRONLY : O_RDWR);
}

HIDDEN FILE *fopen(const char *restrict path, const char *restrict text)
{
    int32_t mode, flags = flags_of(text, &mode);
    struct snt_stream *stream = flags < 0 ? NULL : sn_calloc(1, sizeof *stream);
    if (stream == NULL) {
        errno = flags < 0 ? EINVAL : ENOMEM;
        return NULL;
    }
    stream->mode = mode;
    stream->room = SNT_BUFFER_BYTES;
    if ((flags & O_TRUNC) != 0)
        snt_before_truncation(path);
    int32_t error = snt_file_open(stream, path, flags);
    if (error == -1)
        snt_ask_for_image();
    if (error <= 0)
        return &stream->head;
    sn_free(stream);
    errno = error;
    return NULL;
}

ALSO(fopen) FILE *fopen64(const char *restrict path, const char *restrict text);

HIDDEN int fflush(FILE *stream)
{
    return stream == NULL ? snt_stream_flush_all() : snt_stream_flush(snt_stream_of(stream));
}

ALSO(fflush) int fflush_unlocked(FILE *stream);

HIDDEN int fclose(FILE *closed)
{
    struct snt_stream *stream = snt_stream_of(closed);
    if (stream->file == NULL) {
        errno = EBADF;
        return EOF;
    }
    int32_t result = snt_stream_flush(stream), error = errno;
    snt_file_close(stream);
    sn_free(stream->buffer);
    stream->buffer = NULL;
    stream->pending = stream->first = stream->end = 0;
    if (stream < snt_standard || stream >= snt_standard + 3)
        sn_free(stream);
    errno = error;
    return result;
}

HIDDEN int remove(const char *path)
{
    int32_t error = snt_remove(path);
    errno = error == 0 ? errno : error;
    return error == 0 ? 0 : -1;
}

ALSO(remove) int unlink(const char *path);

HIDDEN int rename(const char *from, const char *to)
{
    int32_t error = snt_rename(from, to);
    errno = error == 0 ? errno : error;
    return error == 0 ? 0 : -1;
}

HIDDEN int setvbuf(FILE *restrict changed, char *restrict buffer, int buffering, size_t room)
{
    struct snt_stream *stream = snt_stream_of(changed);
    (void)buffer; /* its own will do: what the program gives may be too small, or gone at the end */
    if (buffering != _IOFBF && buffering != _IOLBF && buffering != _IONBF)
        return -1;
    stream->buffering = buffering;
    if (stream->buffer == NULL && room > 0 && buffering != _IONBF)
        stream->room = room;
    return 0;
}

HIDDEN void setbuf(FILE *restrict changed, char *restrict buffer)
{
    setvbuf(changed, buffer, buffer == NULL ? _IONBF : _IOFBF, BUFSIZ);
}

HIDDEN void setlinebuf(FILE *changed)
{
    setvbuf(changed, NULL, _IOLBF, 0);
}

/* ---- places and states --------------------------------------------------------------------------------- */

HIDDEN int fseeko(FILE *stream, off_t offset, int whence)
{
    return snt_stream_seek(snt_stream_of(stream), offset, whence);
}

ALSO(fseeko) int fseek(FILE *stream, long offset, int whence);
ALSO(fseeko) int fseeko64(FILE *stream, off64_t offset, int whence);

HIDDEN off_t ftello(FILE *stream)
{
    return snt_stream_place(snt_stream_of(stream));
}

ALSO(ftello) long ftell(FILE *stream);
ALSO(ftello) off64_t ftello64(FILE *stream);

HIDDEN void rewind(FILE *stream)
{
    fseeko(stream, 0, SEEK_SET);
    clearerr(stream);
}

HIDDEN int fgetpos(FILE *restrict stream, fpos_t *restrict place)
{
    int64_t at = snt_stream_place(snt_stream_of(stream));
    memset(place, 0, sizeof *place);
    place->__pos = at;
    return at < 0 ? -1 : 0;
}

HIDDEN int fsetpos(FILE *stream, const fpos_t *place)
{
    return snt_stream_seek(snt_stream_of(stream), place->__pos, SEEK_SET);
}

HIDDEN int feof(FILE *stream)
{
    return (stream->_flags & SNT_EOF) != 0;
}

ALSO(feof) int feof_unlocked(FILE *stream);

HIDDEN int ferror(FILE *stream)
{
    return (stream->_flags & SNT_ERROR) != 0;
}

ALSO(ferror) int ferror_unlocked(FILE *stream);

HIDDEN void clearerr(FILE *stream)
{
    stream->_flags &= ~(SNT_EOF | SNT_ERROR);
}

ALSO(clearerr) void clearerr_unlocked(FILE *stream);
