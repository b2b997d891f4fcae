/*
 * run.c: runs the kinds of a module of chaos once each, in ordinary threads, nobody being captured, and prints what came out:
 * run MODULE chaos|chaos_fortran ROUNDS [KIND]
 */
#include "chaos.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define HEAP_BYTES (UINT64_C(256) << 20)

typedef uint64_t (*entry)(struct chaos_job *);

struct run {
    entry function;
    struct chaos_job job;
    uint64_t done;
    double seconds;
};

static void *call(void *argument)
{
    struct run *run = argument;
    struct timespec end;
    run->done = run->function(&run->job);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    run->seconds = (double)end.tv_sec + (double)end.tv_nsec * 1e-9;
    return NULL;
}

static void *symbol_of(void *module, const char *name, const char *suffix)
{
    char text[100];
    snprintf(text, sizeof text, "%s%s", name, suffix);
    void *symbol = dlsym(module, text);
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return symbol;
}

/* The heap of modules that are linked with the runtime. */
static void open_heap(void)
{
    int32_t (*open)(void *, uint64_t, int32_t) = dlsym(RTLD_DEFAULT, "snt_heap_open");
    void *library = open == NULL ? dlopen("libsnapshot_threads.so", RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (library != NULL)
        open = dlsym(library, "snt_heap_open");
    if (open == NULL)
        return;
    void *memory = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || open(memory, HEAP_BYTES, 0) != 0) {
        fprintf(stderr, "the heap cannot be opened\n");
        exit(1);
    }
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    void *module = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    open_heap();
    entry function = (entry)symbol_of(module, arguments[2], "");
    uint64_t kinds = ((uint64_t(*)(void))symbol_of(module, arguments[2], "_kinds"))();
    for (uint64_t kind = 0; kind < kinds; kind++) {
        struct run run = {.function = function, .job = {.kind = kind, .rounds = strtoull(arguments[3], NULL, 10)}};
        pthread_t thread;
        if (count > 4 && strtoull(arguments[4], NULL, 10) != kind)
            continue;
        if (pthread_create(&thread, NULL, call, &run) != 0 || pthread_join(thread, NULL) != 0)
            return 1;
        printf("%" PRIu64 " %" PRIu64 " %016" PRIx64 " %.17g\n", kind, run.done, run.job.hash, run.job.sum);
        fprintf(stderr, "%" PRIu64 ": %.3f s\n", kind, run.seconds);
    }
    return 0;
}
