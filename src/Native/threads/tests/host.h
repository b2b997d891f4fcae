/* host.h: the host of the tests: an arena, native modules, images, answers. */
#ifndef SNAPSHOT_MODULE_TEST_HOST_H
#define SNAPSHOT_MODULE_TEST_HOST_H

#include "../native_thread.h"
#include "module.h"
#include "runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(2); \
        } \
    } while (0)

#define SIGNAL 42
#define SECOND INT64_C(1000000000)
#define STACK_BYTES (UINT64_C(128) << 10)
#define THREADS_MAX 40u

enum { MODULE_WORK, MODULE_RUNTIME, MODULE_CXX, MODULE_COUNT };

/* The arena: all there is of the threads. */
struct arena {
    uint64_t threads;
    uint64_t allocated;                      /* what it gave threads that asked, in bytes, of `blocks` */
    unsigned char data[MODULE_COUNT][16384]; /* the modules' writable data */
    struct snt_record records[THREADS_MAX];
    struct job jobs[THREADS_MAX];
    struct runtime_job runtime_jobs[THREADS_MAX];
    struct runtime_shared shared;
    _Alignas(4096) unsigned char blocks[65536];
};

extern struct arena *const arena;

/* Opens the library, the arena and, as image says, all that is in it: 0 if there is no such image. */
int host_open(const char *image);

/* The address of a module's function. */
void *host_function(int module, const char *name);

struct snt_record *host_add(void *function, void *argument);

/* Starts all threads that have not ended, and one that answers questions. */
void host_start(void);
int host_are_all_done(void);

/* Answers the questions that are open. Memory must not be captured meanwhile. */
void host_answer(void);

/* Stops the threads and writes an image. */
void host_capture(const char *image);

#endif
