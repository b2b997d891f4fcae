/*
 * runtime.c: a native module in C that uses what the runtime has for native code. What it computes does not
 * depend on when it is captured.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS 64u

static __thread uint64_t t_seed;
static __thread uint64_t t_asked[2];
static __thread uint64_t t_last; /* the handler that was called last, and with what */
static __thread int t_process;   /* in which the thread was asked */
static __thread int t_wrong;

static uint64_t next(void)
{
    t_seed = t_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return t_seed >> 33;
}

static void check(struct runtime_job *job, int condition, uint64_t line)
{
    if (!condition && job->wrong == 0)
        job->wrong = line;
}

#define CHECK(job, condition) check(job, condition, __LINE__)

/* ---- the heap ------------------------------------------------------------------------------------------ */

static size_t draw_size(void)
{
    uint64_t kind = next() % 16;
    return kind == 0 ? 30000 + next() % 200000 : kind < 4 ? 1000 + next() % 30000 : next() % 400;
}

static int is_filled(const unsigned char *block, size_t bytes, unsigned char with)
{
    return bytes == 0 || (block[0] == with && block[bytes - 1] == with && block[bytes / 2] == with);
}

static void use_heap(struct runtime_job *job)
{
    static const size_t alignments[] = {16, 64, 4096, 65536, 131072};
    unsigned char *blocks[BLOCKS] = {0};
    size_t bytes[BLOCKS] = {0};
    for (uint32_t i = 0; i < 400; i++) {
        uint64_t at = next() % BLOCKS, how = next() % 4;
        size_t size = draw_size();
        CHECK(job, is_filled(blocks[at], bytes[at], (unsigned char)at));
        if (how == 0) {
            blocks[at] = realloc(blocks[at], size);
            CHECK(job, blocks[at] != NULL && is_filled(blocks[at], size < bytes[at] ? size : bytes[at] != 0,
                                                       (unsigned char)at));
        } else {
            free(blocks[at]);
            size_t alignment = alignments[next() % 5];
            blocks[at] = how == 1   ? calloc(1, size)
                         : how == 2 ? malloc(size)
                                    : aligned_alloc(alignment, size);
            CHECK(job, blocks[at] != NULL && (how != 1 || is_filled(blocks[at], size, 0)));
            CHECK(job, how != 3 || ((uintptr_t)blocks[at] & (alignment - 1)) == 0);
        }
        memset(blocks[at], (int)at, size);
        bytes[at] = size;
        job->hash = job->hash * 31 + size;
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

/* ---- locks --------------------------------------------------------------------------------------------- */

static void work_a_little(struct runtime_job *job)
{
    for (uint32_t i = 0; i < 200; i++)
        job->hash = job->hash * 33 + i;
}

static void count(struct runtime_job *job)
{
    for (uint32_t i = 0; i < 100; i++) {
        CHECK(job, sn_mutex_lock(&job->shared->mutex) == 0);
        uint64_t before = job->shared->counter;
        work_a_little(job);
        CHECK(job, sn_mutex_is_held(&job->shared->mutex) && job->shared->counter == before);
        job->shared->counter = before + 1;
        if (i % 4 == 0)
            sn_critical_enter();
        CHECK(job, sn_mutex_unlock(&job->shared->mutex) == 0);
        if (i % 4 == 0)
            sn_critical_exit();
        work_a_little(job);
    }
}

static void meet(struct runtime_job *job)
{
    struct runtime_shared *shared = job->shared;
    for (uint32_t phase = 0; phase < 40; phase++) {
        uint64_t *values = shared->values[phase % 2];
        work_a_little(job);
        values[job->index] = job->hash;
        CHECK(job, sn_barrier_wait(&shared->barrier, NULL) == 0);
        for (uint32_t i = 0; i < RUNTIME_BARRIER_THREADS; i++)
            job->hash = job->hash * 37 + values[i];
    }
}

static void produce(struct runtime_job *job)
{
    struct runtime_shared *shared = job->shared;
    for (uint32_t i = 0; i < 40; i++) {
        work_a_little(job);
        sn_mutex_lock(&shared->mutex);
        while (shared->queue_full)
            CHECK(job, sn_condition_wait(&shared->condition, &shared->mutex) == 0);
        shared->queue = job->hash;
        shared->queue_full = 1;
        sn_condition_broadcast(&shared->condition);
        sn_mutex_unlock(&shared->mutex);
    }
}

static void consume(struct runtime_job *job)
{
    struct runtime_shared *shared = job->shared;
    for (uint32_t i = 0; i < 40; i++) {
        sn_mutex_lock(&shared->mutex);
        while (!shared->queue_full)
            CHECK(job, sn_condition_wait(&shared->condition, &shared->mutex) == 0);
        job->hash = job->hash * 41 + shared->queue;
        shared->queue_full = 0;
        sn_condition_broadcast(&shared->condition);
        sn_mutex_unlock(&shared->mutex);
        work_a_little(job);
    }
}

/* ---- when it is captured ------------------------------------------------------------------------------- */

static int64_t rest(void *argument)
{
    struct timespec while_ = {.tv_nsec = 300000};
    nanosleep(&while_, NULL);
    return (int64_t)(uintptr_t)argument * 3;
}

static void block(struct runtime_job *job)
{
    for (uint32_t i = 0; i < 4; i++) {
        double kept = (double)i * 1.5;
        int64_t result = sn_blocked_call(rest, (void *)(uintptr_t)(i + 7));
        job->hash = job->hash * 43 + (uint64_t)result + (uint64_t)kept;
        work_a_little(job);
    }
}

/*
 * Of two handlers the second is asked first, and told last. Now and then the first refuses after the second
 * has agreed. While one is registered alone, `t_last` says nothing.
 */
static int32_t handle(void *argument, int32_t what)
{
    uint64_t which = (uint64_t)(uintptr_t)argument, before = t_last;
    int process = getpid();
    t_last = which * 10 + (uint64_t)what;
    if (what == SN_CHECKPOINT) {
        t_process = process;
        t_wrong |= which == 0 && before != 10 + SN_CHECKPOINT;
        return which == 0 && t_asked[0]++ % 4 == 3;
    }
    /* Who was asked is told, in this process or the next; the second also when the first refused. */
    t_wrong |= (what == SN_CONTINUE) != (process == t_process);
    t_wrong |= which == 1 && before != (uint64_t)what && before != SN_CHECKPOINT;
    return 0;
}

static void have_handlers(struct runtime_job *job)
{
    CHECK(job, sn_on_checkpoint((sn_handler)(uintptr_t)getpid, NULL) != 0);
    sn_critical_enter();
    CHECK(job, sn_on_checkpoint(handle, NULL) == 0);
    CHECK(job, sn_on_checkpoint(handle, (void *)1) == 0);
    sn_critical_exit();
    for (uint32_t i = 0; i < 500; i++)
        work_a_little(job);
    sn_critical_enter();
    CHECK(job, sn_remove_handler(handle, NULL) == 0);
    CHECK(job, sn_remove_handler(handle, NULL) != 0);
    CHECK(job, sn_remove_handler(handle, (void *)1) == 0);
    sn_critical_exit();
    CHECK(job, !t_wrong);
}

static void be_critical(struct runtime_job *job)
{
    for (uint32_t i = 0; i < 20; i++) {
        sn_critical_enter();
        uint64_t process = (uint64_t)getpid();
        for (uint32_t k = 0; k < 5; k++) {
            sn_critical_enter();
            work_a_little(job);
            sn_critical_exit();
        }
        CHECK(job, process == (uint64_t)getpid());
        sn_critical_exit();
        for (uint32_t k = 0; k < 100; k++)
            sn_safepoint();
    }
}

static void ask(struct runtime_job *job)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < 10; i++) {
        if (i % 2 != 0)
            sn_critical_enter();
        uint64_t *block = sn_arena_allocate(1000, 64);
        CHECK(job, block != NULL && ((uintptr_t)block & 63) == 0);
        block[5] = job->hash;
        work_a_little(job);
        job->hash += block[5];
        CHECK(job, sn_arena_free(block) == 0);
        CHECK(job, sn_root("shared", &bytes) == job->shared && bytes == sizeof *job->shared);
        CHECK(job, sn_root("other", NULL) == NULL);
        if (i % 2 != 0)
            sn_critical_exit();
    }
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void sort(struct runtime_job *job)
{
    uint64_t values[700];
    for (uint32_t i = 0; i < 700; i++)
        values[i] = next() % (job->hash % 3 == 0 ? 10 : 100000);
    qsort(values, 700, sizeof values[0], compare);
    for (uint32_t i = 1; i < 700; i++)
        CHECK(job, values[i - 1] <= values[i]);
    CHECK(job, bsearch(&values[300], values, 700, sizeof values[0], compare) != NULL);
    job->hash = job->hash * 47 + values[350];
}

static void trap(struct runtime_job *job)
{
    for (uint32_t i = 0; i < 30; i++) {
        __asm__ volatile("int3" : : : "memory");
        job->hash = job->hash * 53 + i;
    }
}

static int64_t read_byte(void *descriptor)
{
    char byte;
    return read((int)(uintptr_t)descriptor, &byte, 1);
}

static int32_t refuse(void *argument, int32_t what)
{
    const struct runtime_job *job = argument;
    return what == SN_CHECKPOINT && __atomic_load_n(&job->rounds, __ATOMIC_RELAXED) != 0;
}

static uint64_t run_special(struct runtime_job *job)
{
    if (job->kind == RUNTIME_READ)
        return (uint64_t)sn_blocked_call(read_byte, (void *)(uintptr_t)job->rounds);
    if (job->kind == RUNTIME_NOTHING)
        return 1;
    if (job->kind == RUNTIME_STUCK || job->kind == RUNTIME_ASK)
        sn_critical_enter();
    else if (job->kind == RUNTIME_REFUSE)
        sn_on_checkpoint(refuse, job);
    while (__atomic_load_n(&job->rounds, __ATOMIC_RELAXED) != 0)
        __atomic_store_n(&job->hash, job->hash + 1, __ATOMIC_RELAXED);
    uint64_t has_memory = job->kind != RUNTIME_ASK || sn_arena_allocate(64, 64) != NULL;
    if (job->kind == RUNTIME_STUCK || job->kind == RUNTIME_ASK)
        sn_critical_exit();
    return has_memory;
}

__attribute__((visibility("default"))) uint64_t test_runtime(struct runtime_job *job)
{
    static void (*const works[])(struct runtime_job *) = {
        [RUNTIME_HEAP] = use_heap,
        [RUNTIME_MUTEX] = count,
        [RUNTIME_BARRIER] = meet,
        [RUNTIME_PRODUCE] = produce,
        [RUNTIME_CONSUME] = consume,
        [RUNTIME_BLOCKED] = block,
        [RUNTIME_HANDLER] = have_handlers,
        [RUNTIME_CRITICAL] = be_critical,
        [RUNTIME_QUESTION] = ask,
        [RUNTIME_SORT] = sort,
        [RUNTIME_TRAP] = trap,
    };
    if (job->kind >= RUNTIME_READ)
        return run_special(job);
    t_seed = job->kind * 100 + job->index;
    for (uint64_t round = 0; round < job->rounds; round++)
        works[job->kind](job);
    job->hash += t_seed;
    return 1;
}
