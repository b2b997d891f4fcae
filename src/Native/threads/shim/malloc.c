/*
 * malloc.c: the allocator that a module sees: the heap in the arena. Part of the shim; hidden, so that each
 * module calls its own and no library of the process is diverted. libc's functions that allocate for the
 * caller are here for the same reason.
 */
#include "../snapshot_module.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define PAGE_BYTES 4096u

HIDDEN void *malloc(size_t bytes)
{
    return sn_malloc(bytes);
}

HIDDEN void *calloc(size_t count, size_t bytes)
{
    return sn_calloc(count, bytes);
}

HIDDEN void *realloc(void *memory, size_t bytes)
{
    return sn_realloc(memory, bytes);
}

HIDDEN void *reallocarray(void *memory, size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return sn_realloc(memory, all);
}

HIDDEN void free(void *memory)
{
    sn_free(memory);
}

HIDDEN void *aligned_alloc(size_t alignment, size_t bytes)
{
    return sn_aligned_alloc(alignment, bytes);
}

HIDDEN void *memalign(size_t alignment, size_t bytes)
{
    return sn_aligned_alloc(alignment, bytes);
}

HIDDEN void *valloc(size_t bytes)
{
    return sn_aligned_alloc(PAGE_BYTES, bytes);
}

HIDDEN int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    int before = errno;
    void *allocated = sn_aligned_alloc(alignment, bytes);
    errno = before;
    if (allocated == NULL)
        return ENOMEM;
    *memory = allocated;
    return 0;
}

HIDDEN size_t malloc_usable_size(void *memory)
{
    return sn_malloc_usable_size(memory);
}

static char *copy_of(const char *text, size_t length)
{
    char *copy = sn_malloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

HIDDEN char *strdup(const char *text)
{
    return copy_of(text, strlen(text));
}

HIDDEN char *strndup(const char *text, size_t length)
{
    return copy_of(text, strnlen(text, length));
}
