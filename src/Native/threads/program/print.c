/*
 * print.c: printf and its family: libc makes the text, and a stream takes it.
 */
#include "program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define SHORT_BYTES 1024u
#define CHECKED(name) HIDDEN int __##name##_chk

/* Calls the form that takes the arguments as a list. */
#define WITH_LIST(call) \
    va_list list; \
    va_start(list, format); \
    int result = call; \
    va_end(list); \
    return result

HIDDEN int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
    char text[SHORT_BYTES], *longer = NULL;
    va_list again;
    va_copy(again, arguments);
    int bytes = vsnprintf(text, sizeof text, format, arguments);
    if (bytes >= (int)sizeof text) {
        longer = sn_malloc((size_t)bytes + 1);
        if (longer == NULL) {
            va_end(again);
            return -1;
        }
        bytes = vsnprintf(longer, (size_t)bytes + 1, format, again);
    }
    va_end(again);
    if (bytes > 0 && snt_stream_write(snt_stream_of(stream), longer != NULL ? longer : text, (size_t)bytes) !=
                         (size_t)bytes)
        bytes = -1;
    sn_free(longer);
    return bytes;
}

HIDDEN int vprintf(const char *restrict format, va_list arguments)
{
    return vfprintf(&snt_standard[1].head, format, arguments);
}

HIDDEN int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    WITH_LIST(vfprintf(stream, format, list));
}

HIDDEN int printf(const char *restrict format, ...)
{
    WITH_LIST(vfprintf(&snt_standard[1].head, format, list));
}

HIDDEN int vasprintf(char **restrict text, const char *restrict format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    *text = bytes < 0 ? NULL : sn_malloc((size_t)bytes + 1);
    if (*text != NULL)
        vsnprintf(*text, (size_t)bytes + 1, format, again);
    va_end(again);
    return *text == NULL ? -1 : bytes;
}

HIDDEN int asprintf(char **restrict text, const char *restrict format, ...)
{
    WITH_LIST(vasprintf(text, format, list));
}

/* ---- as _FORTIFY_SOURCE calls them --------------------------------------------------------------------- */

CHECKED(vfprintf)(FILE *restrict stream, int flag, const char *restrict format, va_list arguments);
CHECKED(vprintf)(int flag, const char *restrict format, va_list arguments);
CHECKED(fprintf)(FILE *restrict stream, int flag, const char *restrict format, ...);
CHECKED(printf)(int flag, const char *restrict format, ...);
CHECKED(vasprintf)(char **restrict text, int flag, const char *restrict format, va_list arguments);
CHECKED(asprintf)(char **restrict text, int flag, const char *restrict format, ...);

CHECKED(vfprintf)(FILE *restrict stream, int flag, const char *restrict format, va_list arguments)
{
    (void)flag;
    return vfprintf(stream, format, arguments);
}

CHECKED(vprintf)(int flag, const char *restrict format, va_list arguments)
{
    (void)flag;
    return vprintf(format, arguments);
}

CHECKED(fprintf)(FILE *restrict stream, int flag, const char *restrict format, ...)
{
    (void)flag;
    WITH_LIST(vfprintf(stream, format, list));
}

CHECKED(printf)(int flag, const char *restrict format, ...)
{
    (void)flag;
    WITH_LIST(vprintf(format, list));
}

CHECKED(vasprintf)(char **restrict text, int flag, const char *restrict format, va_list arguments)
{
    (void)flag;
    return vasprintf(text, format, arguments);
}

CHECKED(asprintf)(char **restrict text, int flag, const char *restrict format, ...)
{
    (void)flag;
    WITH_LIST(vasprintf(text, format, list));
}
