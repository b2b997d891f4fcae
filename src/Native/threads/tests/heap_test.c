/*
 * heap_test.c: the heap of native threads by itself, so that it can be built with sanitizers:
 * cc -fsanitize=address,undefined heap_test.c ../heap.c
 */
#include "../heap.h"
#include "../native_thread.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(2); \
        } \
    } while (0)

#define MEBIBYTE (UINT64_C(1) << 20)
#define GIBIBYTE (UINT64_C(1) << 30)
#define BLOCKS 500u

static __thread jmp_buf t_death;
static __thread const char *t_reason;

/* What would end the process comes back to the test. */
void snt_die(const char *function, const char *what)
{
    (void)function;
    t_reason = what;
    longjmp(t_death, 1);
}

static void *map(uint64_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static struct heap *open_heap(uint64_t bytes)
{
    struct heap *heap = map(bytes);
    CHECK(snt_heap_open(heap, bytes, 0) == 0);
    return heap;
}

static void close_heap(struct heap *heap)
{
    munmap(heap, heap->bytes);
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* ---- allocations --------------------------------------------------------------------------------------- */

struct held {
    unsigned char *memory;
    size_t bytes;
};

static int is_filled(const struct held *held, size_t bytes, unsigned char with)
{
    for (size_t i = 0; i < bytes; i += i < 64 ? 1 : 97) {
        if (held->memory[i] != with)
            return 0;
    }
    return 1;
}

static void *churn(void *argument)
{
    static const size_t alignments[] = {1, 16, 32, 256, 4096, 32768, 65536, 262144};
    uint64_t seed = (uint64_t)(uintptr_t)argument;
    struct held *all = calloc(BLOCKS, sizeof *all);
    CHECK(all != NULL);
    for (uint32_t i = 0; i < 40000; i++) {
        uint64_t at = next(&seed) % BLOCKS, how = next(&seed) % 4, kind = next(&seed) % 50;
        size_t bytes = next(&seed) % (kind == 0 ? 400000 : kind < 10 ? 40000 : 600);
        struct held *held = &all[at];
        unsigned char with = (unsigned char)at;
        CHECK(is_filled(held, held->bytes, with));
        if (how == 0) {
            held->memory = sn_realloc(held->memory, bytes);
            CHECK(is_filled(held, bytes < held->bytes ? bytes : held->bytes, with));
        } else {
            size_t alignment = how == 1 ? alignments[next(&seed) % 8] : 16;
            sn_free(held->memory);
            held->memory = how == 1   ? sn_aligned_alloc(alignment, bytes)
                           : how == 2 ? sn_calloc(bytes, 1)
                                      : sn_malloc(bytes);
            CHECK(((uintptr_t)held->memory & (alignment - 1)) == 0);
            CHECK(how != 2 || is_filled(held, bytes, 0));
        }
        CHECK(held->memory != NULL && sn_malloc_usable_size(held->memory) >= bytes);
        memset(held->memory, with, bytes);
        held->bytes = bytes;
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        sn_free(all[i].memory);
    free(all);
    return NULL;
}

static uint32_t count_chunks(const struct heap *heap, uint32_t kind)
{
    const struct heap_chunk *chunks = (const struct heap_chunk *)(uintptr_t)heap->chunks;
    uint32_t count = 0;
    for (uint32_t i = 0; i < heap->fresh; i++)
        count += chunks[i].kind == kind;
    return count;
}

static void allocations_keep_what_is_in_them(void)
{
    pthread_t threads[4];
    struct heap *heap = open_heap(256 * MEBIBYTE);
    for (uint64_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, (void *)(uintptr_t)(i + 1)) == 0);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    /* Of each size one slab may stay. */
    CHECK(count_chunks(heap, HEAP_SLAB) <= HEAP_SIZES && count_chunks(heap, HEAP_RUN) == 0);
    CHECK(snt_heap_open(heap, heap->bytes, 1) == 0); /* as a new process would */
    churn((void *)5);
    close_heap(heap);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static void sizes_fit(void)
{
    struct heap *heap = open_heap(64 * MEBIBYTE);
    for (size_t bytes = 0; bytes < 70000; bytes++) {
        void *memory = sn_malloc(bytes);
        size_t usable = sn_malloc_usable_size(memory);
        CHECK(memory != NULL && usable >= bytes && ((uintptr_t)memory & 15) == 0);
        CHECK(bytes > HEAP_SMALL_MAX || usable <= bytes + bytes / 4 + HEAP_GRAIN);
        memset(memory, 1, bytes);
        sn_free(memory);
    }
    close_heap(heap);
}

static void a_full_heap_says_so_and_is_whole_when_all_is_freed(void)
{
    struct heap *heap = open_heap(32 * MEBIBYTE);
    void *all[1024];
    uint32_t count = 0;
    size_t largest = heap->chunk_count * HEAP_CHUNK;
    while (count < 1024 && (all[count] = sn_malloc(100000)) != NULL)
        count++;
    CHECK(count > 200 && errno == ENOMEM);
    while (sn_malloc(20000) != NULL)
        continue;
    errno = 0;
    CHECK(sn_malloc(10) != NULL || errno == ENOMEM);
    CHECK(sn_malloc(SIZE_MAX) == NULL && sn_calloc(SIZE_MAX / 2, 3) == NULL);
    CHECK(sn_aligned_alloc(MEBIBYTE << 40, 1) == NULL);
    errno = 0;
    CHECK(sn_aligned_alloc(48, 1) == NULL && errno == EINVAL);
    close_heap(heap);

    heap = open_heap(32 * MEBIBYTE);
    for (uint32_t i = 0; i < 100; i++)
        all[i] = sn_malloc(100000 + i * 1000);
    for (uint32_t i = 0; i < 100; i += 2)
        sn_free(all[i]);
    for (uint32_t i = 99; i < 100; i -= 2)
        sn_free(all[i]);
    CHECK(heap->fresh == 0);
    void *memory = sn_malloc(largest);
    CHECK(memory != NULL && sn_malloc(1) == NULL);
    CHECK(sn_realloc(memory, largest / 2) == memory && sn_realloc(memory, largest) == memory);
    sn_free(memory);
    close_heap(heap);
}

/* A slab of each size is kept; where memory is short they are not in the way. */
static void what_is_kept_is_given_back_when_memory_is_short(void)
{
    struct heap *heap = open_heap(8 * MEBIBYTE);
    for (size_t bytes = 0; bytes < HEAP_SMALL_MAX; bytes += 16)
        sn_free(sn_malloc(bytes));
    CHECK(count_chunks(heap, HEAP_SLAB) == HEAP_SIZES);
    void *large = sn_malloc((heap->chunk_count - 1) * HEAP_CHUNK), *small = sn_malloc(100);
    CHECK(large != NULL && small != NULL);
    sn_free(small);
    CHECK(sn_malloc(30000) != NULL && sn_malloc(100) == NULL);
    close_heap(heap);
}

static uint64_t resident_bytes(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%lu %lu", &all, &resident) == 2);
    fclose(file);
    return resident * UINT64_C(4096);
}

static void what_is_not_used_is_not_touched(void)
{
    uint64_t before = resident_bytes();
    struct heap *heap = open_heap(64 * GIBIBYTE);
    void *large = sn_calloc(8 * GIBIBYTE, 1), *small = sn_malloc(100);
    CHECK(large != NULL && small != NULL);
    sn_free(large);
    large = sn_malloc(4 * GIBIBYTE);
    CHECK(large != NULL && resident_bytes() - before < 2 * MEBIBYTE);
    close_heap(heap);
}

static int dies(void *memory, const char *reason)
{
    if (setjmp(t_death) == 0) {
        sn_free(memory);
        return 0;
    }
    return strstr(t_reason, reason) != NULL;
}

/* Each in a heap of its own: after such an end its locks are as they were. */
static void a_wrong_free_is_noticed(void)
{
    static char elsewhere[64];
    struct heap *heap = open_heap(8 * MEBIBYTE);
    char *small = sn_malloc(100), *large = sn_malloc(200000);
    CHECK(sn_malloc(100) != NULL);
    CHECK(dies(elsewhere, "not of this heap") && dies(small + 16, "inside of an allocation"));
    CHECK(dies(large + 65536, "was never allocated") && dies(large + 16, "was never allocated"));
    sn_free(large);
    CHECK(dies(large, "free already"));
    sn_free(small);
    CHECK(dies(small, "free already"));
    close_heap(heap);
}

static void what_is_no_heap_is_refused(void)
{
    struct heap *heap = open_heap(8 * MEBIBYTE);
    CHECK(snt_heap_open(heap, 4 * MEBIBYTE, 1) == EINVAL);
    heap->version++;
    CHECK(snt_heap_open(heap, 8 * MEBIBYTE, 1) == EINVAL);
    CHECK(snt_heap_open(heap, 1000, 0) == EINVAL && snt_heap_open(NULL, MEBIBYTE, 0) == EINVAL);
    CHECK(snt_heap_open((char *)heap + 8, 4 * MEBIBYTE, 0) == EINVAL);
    close_heap(heap);
}

int main(void)
{
    CHECK(sn_malloc(1) == NULL && errno == ENOMEM); /* none is open yet */
    sizes_fit();
    allocations_keep_what_is_in_them();
    a_full_heap_says_so_and_is_whole_when_all_is_freed();
    what_is_kept_is_given_back_when_memory_is_short();
    what_is_not_used_is_not_touched();
    a_wrong_free_is_noticed();
    what_is_no_heap_is_refused();
    printf("heap: ok\n");
    return 0;
}
