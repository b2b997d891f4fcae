/*
 * hide.c: preloaded into a program, hides files and libraries from it, as small images of containers and sandboxes do.
 * HIDDEN is a list, separated by commas; a file whose path contains one of its words reads as empty, and a library
 * whose name does is not found.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int is_hidden(const char *path)
{
    const char *list = getenv("HIDDEN");
    while (path != NULL && list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");
        char word[256] = "";
        if (length > 0 && length < sizeof word) {
            memcpy(word, list, length);
            if (strstr(path, word) != NULL)
                return 1;
        }
        list += length + (list[length] == ',');
    }
    return 0;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

void *dlopen(const char *name, int flags)
{
    void *(*real)(const char *, int);
    *(void **)&real = next("dlopen");
    return real(is_hidden(name) ? "/nowhere/hidden.so" : name, flags);
}

static int open_shown(const char *function, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...);
    *(void **)&real = next(function);
    return real(is_hidden(path) ? "/dev/null" : path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_shown("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_shown("open64", path, flags, mode);
}
