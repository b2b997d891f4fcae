/*
 * text.c: what <stdio.h> has for characters and blocks.
 */
#include "program.h"

#include <errno.h>
#include <string.h>

/* Macros of libc's header. */
#undef fread_unlocked
#undef fwrite_unlocked

#define ALSO(name) __attribute__((visibility("hidden"), alias(#name)))

HIDDEN int fgetc(FILE *stream)
{
    return snt_stream_get(snt_stream_of(stream));
}

ALSO(fgetc) int getc(FILE *stream);
ALSO(fgetc) int _IO_getc(FILE *stream);
ALSO(fgetc) int getc_unlocked(FILE *stream);
ALSO(fgetc) int fgetc_unlocked(FILE *stream);
ALSO(fgetc) int __uflow(FILE *stream);

HIDDEN int getchar(void)
{
    return snt_stream_get(&snt_standard[0]);
}

ALSO(getchar) int getchar_unlocked(void);

HIDDEN int ungetc(int character, FILE *stream)
{
    return snt_stream_unget(snt_stream_of(stream), character);
}

HIDDEN int fputc(int character, FILE *stream)
{
    return snt_stream_put(snt_stream_of(stream), character);
}

ALSO(fputc) int putc(int character, FILE *stream);
ALSO(fputc) int _IO_putc(int character, FILE *stream);
ALSO(fputc) int putc_unlocked(int character, FILE *stream);
ALSO(fputc) int fputc_unlocked(int character, FILE *stream);

HIDDEN int __overflow(FILE *stream, int character)
{
    return snt_stream_put(snt_stream_of(stream), character);
}

HIDDEN int putchar(int character)
{
    return snt_stream_put(&snt_standard[1], character);
}

ALSO(putchar) int putchar_unlocked(int character);

HIDDEN int fputs(const char *restrict text, FILE *restrict stream)
{
    size_t bytes = strlen(text);
    return snt_stream_write(snt_stream_of(stream), text, bytes) == bytes ? 1 : EOF;
}

ALSO(fputs) int fputs_unlocked(const char *restrict text, FILE *restrict stream);

HIDDEN int puts(const char *text)
{
    return fputs(text, &snt_standard[1].head) == EOF ? EOF : putchar('\n') == EOF ? EOF : 1;
}

HIDDEN char *fgets(char *restrict text, int room, FILE *restrict stream)
{
    int at = 0, character = 0;
    while (at < room - 1 && character != '\n' && (character = fgetc(stream)) != EOF)
        text[at++] = (char)character;
    if (room <= 0 || (character == EOF && (at == 0 || (stream->_flags & SNT_ERROR) != 0)))
        return NULL;
    text[at] = 0;
    return text;
}

ALSO(fgets) char *fgets_unlocked(char *restrict text, int room, FILE *restrict stream);
HIDDEN char *__fgets_chk(char *restrict text, size_t bytes, int room, FILE *restrict stream);

char *__fgets_chk(char *restrict text, size_t bytes, int room, FILE *restrict stream)
{
    if (room > 0 && (size_t)room > bytes)
        snt_program_fail("", "fgets was to read more than the array holds.");
    return fgets(text, room, stream);
}

HIDDEN size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
    size_t bytes;
    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &bytes))
        return 0;
    return snt_stream_read(snt_stream_of(stream), data, bytes) / size;
}

ALSO(fread) size_t fread_unlocked(void *restrict data, size_t size, size_t count, FILE *restrict stream);
HIDDEN size_t __fread_chk(void *restrict data, size_t room, size_t size, size_t count, FILE *restrict stream);

size_t __fread_chk(void *restrict data, size_t room, size_t size, size_t count, FILE *restrict stream)
{
    if (size != 0 && count > room / size)
        snt_program_fail("", "fread was to read more than the array holds.");
    return fread(data, size, count, stream);
}

HIDDEN size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
    size_t bytes;
    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &bytes))
        return 0;
    return snt_stream_write(snt_stream_of(stream), data, bytes) / size;
}

ALSO(fwrite)
size_t fwrite_unlocked(const void *restrict data, size_t size, size_t count, FILE *restrict stream);

HIDDEN ssize_t getdelim(char **restrict line, size_t *restrict room, int end, FILE *restrict stream)
{
    size_t length = 0;
    int character = 0;
    while (character != end && (character = fgetc(stream)) != EOF) {
        if (*line == NULL || length + 2 > *room) {
            size_t more = *line == NULL ? 120 : 2 * (length + 2);
            char *moved = sn_realloc(*line, more);
            if (moved == NULL)
                return -1;
            *line = moved;
            *room = more;
        }
        (*line)[length++] = (char)character;
    }
    if (length == 0 || (stream->_flags & SNT_ERROR) != 0)
        return -1;
    (*line)[length] = 0;
    return (ssize_t)length;
}

ALSO(getdelim)
ssize_t __getdelim(char **restrict line, size_t *restrict room, int end, FILE *restrict stream);

HIDDEN ssize_t getline(char **restrict line, size_t *restrict room, FILE *restrict stream)
{
    return getdelim(line, room, '\n', stream);
}

HIDDEN void perror(const char *what)
{
    int before = errno;
    if (what != NULL && what[0] != 0) {
        fputs(what, &snt_standard[2].head);
        fputs(": ", &snt_standard[2].head);
    }
    fputs(strerror(before), &snt_standard[2].head);
    fputs("\n", &snt_standard[2].head);
    errno = before;
}
