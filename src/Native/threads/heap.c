/* heap.c: see heap.h. The locks are words of the heap: whoever is captured with one goes on with it. */
#include "heap.h"

#include "call.h"
#include "native_thread.h"

#include <string.h>

static struct heap *s_heap;

static struct heap_chunk *chunk_at(const struct heap *heap, uint32_t index)
{
    return (struct heap_chunk *)(uintptr_t)heap->chunks + index;
}

static uint64_t *map_of(const struct heap *heap, uint32_t index)
{
    return (uint64_t *)(uintptr_t)heap->maps + (uint64_t)index * HEAP_MAP_WORDS;
}

static void *address_of(const struct heap *heap, uint32_t index)
{
    return (void *)(uintptr_t)(heap->first_chunk + index * HEAP_CHUNK);
}

/* ---- sizes --------------------------------------------------------------------------------------------- */

/* The smallest size that holds so many bytes; bytes <= HEAP_SMALL_MAX. */
static uint32_t size_index(uint64_t bytes)
{
    if (bytes <= HEAP_STEP_MAX)
        return bytes == 0 ? 0 : (uint32_t)((bytes - 1) / HEAP_GRAIN);
    uint32_t doubling = 63 - (uint32_t)__builtin_clzll(bytes - 1); /* 2^doubling < bytes <= 2^(doubling+1) */
    uint32_t quarter = (uint32_t)((bytes - 1) >> (doubling - 2)) & 3;
    return HEAP_STEP_MAX / HEAP_GRAIN + (doubling - 10) * 4 + quarter;
}

static uint32_t size_bytes(uint32_t index)
{
    uint32_t steps = HEAP_STEP_MAX / HEAP_GRAIN;
    if (index < steps)
        return (index + 1) * HEAP_GRAIN;
    uint32_t doubling = 10 + (index - steps) / 4;
    return (UINT32_C(1) << doubling) + ((index - steps) % 4 + 1) * (UINT32_C(1) << (doubling - 2));
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static void push(const struct heap *heap, uint32_t *first, uint32_t index)
{
    struct heap_chunk *chunk = chunk_at(heap, index);
    chunk->previous = HEAP_NONE;
    chunk->next = *first;
    if (*first != HEAP_NONE)
        chunk_at(heap, *first)->previous = index;
    *first = index;
}

static void take_out(const struct heap *heap, uint32_t *first, uint32_t index)
{
    const struct heap_chunk *chunk = chunk_at(heap, index);
    if (chunk->previous != HEAP_NONE)
        chunk_at(heap, chunk->previous)->next = chunk->next;
    else
        *first = chunk->next;
    if (chunk->next != HEAP_NONE)
        chunk_at(heap, chunk->next)->previous = chunk->previous;
}

/* ---- runs of chunks: with runs_lock held ----------------------------------------------------------------
 */

static uint32_t bin_of(uint32_t length)
{
    return 31 - (uint32_t)__builtin_clz(length);
}

static void set_free(struct heap *heap, uint32_t index, uint32_t length)
{
    struct heap_chunk *first = chunk_at(heap, index), *last = chunk_at(heap, index + length - 1);
    last->kind = first->kind = HEAP_FREE;
    last->length = first->length = length;
    push(heap, &heap->bins[bin_of(length)], index);
}

static void unset_free(struct heap *heap, uint32_t index, uint32_t length)
{
    take_out(heap, &heap->bins[bin_of(length)], index);
    chunk_at(heap, index)->kind = chunk_at(heap, index + length - 1)->kind = HEAP_INSIDE;
}

/* The first that fits of the bin where some do, else any of the next bins, where all do. */
static uint32_t find_free(const struct heap *heap, uint32_t length)
{
    for (uint32_t bin = bin_of(length); bin < HEAP_BINS; bin++) {
        for (uint32_t at = heap->bins[bin]; at != HEAP_NONE; at = chunk_at(heap, at)->next) {
            if (chunk_at(heap, at)->length >= length)
                return at;
        }
    }
    return HEAP_NONE;
}

static uint32_t run_take(struct heap *heap, uint32_t length, enum heap_kind kind)
{
    uint32_t index = find_free(heap, length);
    if (index != HEAP_NONE) {
        uint32_t found = chunk_at(heap, index)->length;
        unset_free(heap, index, found);
        if (found > length)
            set_free(heap, index + length, found - length);
    } else if (heap->chunk_count - heap->fresh >= length) {
        index = heap->fresh;
        heap->fresh += length;
        if (heap->touched < heap->fresh)
            heap->touched = heap->fresh;
    } else {
        return HEAP_NONE;
    }
    struct heap_chunk *chunk = chunk_at(heap, index);
    chunk->length = length;
    chunk->size = 0;
    __atomic_store_n(&chunk->kind, kind, __ATOMIC_RELEASE);
    return index;
}

static void run_give(struct heap *heap, uint32_t index, uint32_t length)
{
    chunk_at(heap, index)->kind = HEAP_INSIDE;
    if (index > 0 && chunk_at(heap, index - 1)->kind == HEAP_FREE) {
        uint32_t before = chunk_at(heap, index - 1)->length;
        index -= before;
        length += before;
        unset_free(heap, index, before);
    }
    if (index + length < heap->fresh && chunk_at(heap, index + length)->kind == HEAP_FREE) {
        uint32_t behind = chunk_at(heap, index + length)->length;
        unset_free(heap, index + length, behind);
        length += behind;
    }
    if (index + length == heap->fresh)
        heap->fresh = index;
    else
        set_free(heap, index, length);
}

/* ---- large allocations --------------------------------------------------------------------------------- */

static uint64_t chunks_for(uint64_t bytes)
{
    return bytes / HEAP_CHUNK + (bytes % HEAP_CHUNK != 0);
}

/* `alignment` in chunks, a power of two. *is_zero: the memory was never in use. */
static void *large_take(struct heap *heap, uint64_t length, uint64_t alignment, int32_t *is_zero)
{
    uint64_t wanted = length + alignment - 1;
    if (length > heap->chunk_count || alignment > heap->chunk_count || wanted > heap->chunk_count)
        return NULL;
    snt_lock(&heap->runs_lock);
    uint32_t touched = heap->touched, index = run_take(heap, (uint32_t)wanted, HEAP_RUN);
    if (index != HEAP_NONE && wanted > length) {
        uint64_t chunk = heap->first_chunk / HEAP_CHUNK + index;
        uint32_t before = (uint32_t)(-chunk & (alignment - 1)), behind = (uint32_t)(wanted - length) - before;
        struct heap_chunk *first = chunk_at(heap, index + before);
        first->kind = HEAP_RUN;
        first->length = (uint32_t)length;
        first->size = 0;
        if (before > 0)
            run_give(heap, index, before);
        index += before;
        if (behind > 0)
            run_give(heap, index + (uint32_t)length, behind);
    }
    snt_unlock(&heap->runs_lock);
    if (is_zero != NULL)
        *is_zero = index != HEAP_NONE && index >= touched;
    return index == HEAP_NONE ? NULL : address_of(heap, index);
}

/* Makes a run shorter or longer where it is; 0 if there is no room for that. */
static int32_t run_resize(struct heap *heap, uint32_t index, uint64_t length)
{
    struct heap_chunk *chunk = chunk_at(heap, index);
    int32_t fits = 1;
    snt_lock(&heap->runs_lock);
    uint32_t before = chunk->length;
    if (length < before) {
        chunk->length = (uint32_t)length;
        run_give(heap, index + (uint32_t)length, before - (uint32_t)length);
    } else if (index + before == heap->fresh && length <= heap->chunk_count - index) {
        heap->fresh = index + (uint32_t)length;
        if (heap->touched < heap->fresh)
            heap->touched = heap->fresh;
        chunk->length = (uint32_t)length;
    } else {
        fits = length == before;
    }
    snt_unlock(&heap->runs_lock);
    return fits;
}

/* ---- small cells: with the lock of their size held ---------------------------------------------------- */

static uint32_t cells_of(uint32_t size)
{
    return (uint32_t)HEAP_CHUNK / size_bytes(size);
}

static uint32_t slab_make(struct heap *heap, uint32_t size)
{
    snt_lock(&heap->runs_lock);
    uint32_t index = run_take(heap, 1, HEAP_SLAB);
    snt_unlock(&heap->runs_lock);
    if (index == HEAP_NONE)
        return index;
    uint32_t cells = cells_of(size), words = (cells + 63) / 64;
    uint64_t *map = map_of(heap, index);
    memset(map, 0, words * sizeof *map);
    if (cells % 64 != 0)
        map[words - 1] = ~UINT64_C(0) << cells % 64; /* what is not there is in use */
    struct heap_chunk *chunk = chunk_at(heap, index);
    chunk->length = 0;
    chunk->size = size;
    chunk->hint = 0;
    push(heap, &heap->sizes[size].first, index);
    return index;
}

/* With the lock of its size held: gives the chunks of a slab without cells back to the runs. */
static void slab_unmake(struct heap *heap, uint32_t index)
{
    take_out(heap, &heap->sizes[chunk_at(heap, index)->size].first, index);
    snt_lock(&heap->runs_lock);
    run_give(heap, index, 1);
    snt_unlock(&heap->runs_lock);
}

/* With no lock held, when memory is short: all slabs without cells are given back. 0 if there were none. */
static int32_t reclaim(struct heap *heap)
{
    int32_t any = 0;
    for (uint32_t size = 0; size < HEAP_SIZES; size++) {
        struct heap_list *list = &heap->sizes[size];
        snt_lock(&list->lock);
        for (uint32_t index = list->first, next; index != HEAP_NONE; index = next) {
            next = chunk_at(heap, index)->next;
            if (chunk_at(heap, index)->length == 0) {
                slab_unmake(heap, index);
                any = 1;
            }
        }
        snt_unlock(&list->lock);
    }
    return any;
}

static void *small_take(struct heap *heap, uint32_t size)
{
    struct heap_list *list = &heap->sizes[size];
    void *cell = NULL;
    snt_lock(&list->lock);
    uint32_t index = list->first;
    if (index == HEAP_NONE)
        index = slab_make(heap, size);
    if (index != HEAP_NONE) {
        struct heap_chunk *chunk = chunk_at(heap, index);
        uint64_t *map = map_of(heap, index);
        uint32_t cells = cells_of(size), words = (cells + 63) / 64, word = chunk->hint;
        while (~map[word] == 0)
            word = word + 1 == words ? 0 : word + 1;
        uint32_t bit = (uint32_t)__builtin_ctzll(~map[word]);
        map[word] |= UINT64_C(1) << bit;
        chunk->hint = word;
        if (++chunk->length == cells)
            take_out(heap, &list->first, index);
        cell = (char *)address_of(heap, index) + (uint64_t)(word * 64 + bit) * size_bytes(size);
    }
    snt_unlock(&list->lock);
    return cell;
}

static void *small_allocate(struct heap *heap, uint32_t size)
{
    void *cell = small_take(heap, size);
    return cell != NULL || !reclaim(heap) ? cell : small_take(heap, size);
}

static void *large_allocate(struct heap *heap, uint64_t length, uint64_t alignment, int32_t *is_zero)
{
    void *memory = large_take(heap, length, alignment, is_zero);
    return memory != NULL || !reclaim(heap) ? memory : large_take(heap, length, alignment, is_zero);
}

static void small_free(struct heap *heap, uint32_t index, uint64_t offset)
{
    struct heap_chunk *chunk = chunk_at(heap, index);
    uint32_t size = chunk->size, bytes = size_bytes(size), cell = (uint32_t)offset / bytes;
    struct heap_list *list = &heap->sizes[size];
    if (offset % bytes != 0)
        snt_die("sn_free", "the address is inside of an allocation");
    snt_lock(&list->lock);
    uint64_t *word = map_of(heap, index) + cell / 64, bit = UINT64_C(1) << cell % 64;
    if (cell >= cells_of(size) || (*word & bit) == 0)
        snt_die("sn_free", "the memory is free already");
    *word &= ~bit;
    if (chunk->length-- == cells_of(size))
        push(heap, &list->first, index);
    /* The last slab with room stays, or a cell that comes and goes would make and unmake it each time. */
    if (chunk->length == 0 && (chunk->previous != HEAP_NONE || chunk->next != HEAP_NONE))
        slab_unmake(heap, index);
    snt_unlock(&list->lock);
}

/* ---- the heap ------------------------------------------------------------------------------------------ */

static int32_t lay_out(struct heap *heap, uint64_t bytes)
{
    uint64_t start = (uint64_t)(uintptr_t)heap,
             each = HEAP_CHUNK + sizeof(struct heap_chunk) + HEAP_MAP_WORDS * 8;
    uint64_t header = (sizeof *heap + 63) & ~UINT64_C(63);
    if (bytes < header + 2 * HEAP_CHUNK || bytes / each >= UINT32_MAX)
        return EINVAL;
    uint64_t count = (bytes - header - HEAP_CHUNK) / each; /* one chunk is lost to alignment at most */
    uint64_t chunks = start + header, maps = chunks + count * sizeof(struct heap_chunk);
    if (count == 0)
        return EINVAL;
    *heap = (struct heap){
        .version = HEAP_VERSION,
        .chunk_count = (uint32_t)count,
        .address = start,
        .bytes = bytes,
        .first_chunk = (maps + count * HEAP_MAP_WORDS * 8 + HEAP_CHUNK - 1) & ~(HEAP_CHUNK - 1),
        .chunks = chunks,
        .maps = maps,
    };
    for (uint32_t i = 0; i < HEAP_BINS; i++)
        heap->bins[i] = HEAP_NONE;
    for (uint32_t i = 0; i < HEAP_SIZES; i++)
        heap->sizes[i].first = HEAP_NONE;
    heap->magic = HEAP_MAGIC;
    return 0;
}

int32_t snt_heap_open(void *memory, uint64_t bytes, int32_t is_restored)
{
    struct heap *heap = memory;
    if (memory == NULL || ((uintptr_t)memory & 15) != 0 || bytes < sizeof *heap)
        return EINVAL;
    if (is_restored) {
        if (heap->magic != HEAP_MAGIC || heap->version != HEAP_VERSION ||
            heap->address != (uint64_t)(uintptr_t)memory || heap->bytes != bytes)
            return EINVAL;
    } else {
        int32_t error = lay_out(heap, bytes);
        if (error != 0)
            return error;
    }
    __atomic_store_n(&s_heap, heap, __ATOMIC_RELEASE);
    return 0;
}

static struct heap *opened(void)
{
    return __atomic_load_n(&s_heap, __ATOMIC_ACQUIRE);
}

void snt_heap_used(uint64_t *first, uint64_t *end)
{
    const struct heap *heap = opened();
    *first = heap == NULL ? 0 : heap->first_chunk;
    *end =
        heap == NULL ? 0 : heap->first_chunk + __atomic_load_n(&heap->touched, __ATOMIC_ACQUIRE) * HEAP_CHUNK;
}

static void *or_no_memory(void *memory)
{
    if (memory == NULL)
        errno = ENOMEM;
    return memory;
}

/* The chunk that an allocation is in, and where in it; ends the process if there is no such allocation. */
static uint32_t find(const struct heap *heap, const void *memory, const char *function, uint64_t *offset)
{
    uint64_t at = heap == NULL ? 0 : (uint64_t)(uintptr_t)memory - heap->first_chunk;
    if (heap == NULL || at / HEAP_CHUNK >= heap->chunk_count)
        snt_die(function, "the address is not of this heap");
    uint32_t index = (uint32_t)(at / HEAP_CHUNK),
             kind = __atomic_load_n(&chunk_at(heap, index)->kind, __ATOMIC_ACQUIRE);
    *offset = at % HEAP_CHUNK;
    if (kind != HEAP_SLAB && (kind != HEAP_RUN || *offset != 0))
        snt_die(function, "the memory is free already, or was never allocated");
    return index;
}

void *sn_malloc(size_t bytes)
{
    struct heap *heap = opened();
    if (heap == NULL)
        return or_no_memory(NULL);
    if (bytes <= HEAP_SMALL_MAX)
        return or_no_memory(small_allocate(heap, size_index(bytes)));
    return or_no_memory(large_allocate(heap, chunks_for(bytes), 1, NULL));
}

void *sn_calloc(size_t count, size_t bytes)
{
    struct heap *heap = opened();
    size_t all;
    int32_t is_zero = 0;
    if (heap == NULL || __builtin_mul_overflow(count, bytes, &all))
        return or_no_memory(NULL);
    void *memory = all <= HEAP_SMALL_MAX ? small_allocate(heap, size_index(all))
                                         : large_allocate(heap, chunks_for(all), 1, &is_zero);
    if (memory != NULL && !is_zero)
        memset(memory, 0, all);
    return or_no_memory(memory);
}

void *sn_aligned_alloc(size_t alignment, size_t bytes)
{
    struct heap *heap = opened();
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    if (heap == NULL)
        return or_no_memory(NULL);
    if (alignment <= HEAP_GRAIN)
        return sn_malloc(bytes);
    if (alignment <= HEAP_SMALL_MAX && bytes <= HEAP_SMALL_MAX) {
        uint32_t size = size_index(bytes < alignment ? alignment : bytes);
        while (size < HEAP_SIZES && size_bytes(size) % alignment != 0)
            size++;
        if (size < HEAP_SIZES)
            return or_no_memory(small_allocate(heap, size));
    }
    uint64_t length = chunks_for(bytes == 0 ? 1 : bytes);
    return or_no_memory(
        large_allocate(heap, length, alignment <= HEAP_CHUNK ? 1 : alignment / HEAP_CHUNK, NULL));
}

void sn_free(void *memory)
{
    struct heap *heap = opened();
    uint64_t offset;
    if (memory == NULL)
        return;
    uint32_t index = find(heap, memory, __func__, &offset);
    if (chunk_at(heap, index)->kind == HEAP_SLAB) {
        small_free(heap, index, offset);
        return;
    }
    snt_lock(&heap->runs_lock);
    if (chunk_at(heap, index)->kind != HEAP_RUN)
        snt_die(__func__, "the memory is free already");
    run_give(heap, index, chunk_at(heap, index)->length);
    snt_unlock(&heap->runs_lock);
}

size_t sn_malloc_usable_size(void *memory)
{
    const struct heap *heap = opened();
    uint64_t offset;
    if (memory == NULL)
        return 0;
    const struct heap_chunk *chunk = chunk_at(heap, find(heap, memory, __func__, &offset));
    return chunk->kind == HEAP_SLAB ? size_bytes(chunk->size) : chunk->length * HEAP_CHUNK;
}

void *sn_realloc(void *memory, size_t bytes)
{
    struct heap *heap = opened();
    uint64_t offset;
    if (memory == NULL)
        return sn_malloc(bytes);
    uint32_t index = find(heap, memory, __func__, &offset);
    const struct heap_chunk *chunk = chunk_at(heap, index);
    size_t before = chunk->kind == HEAP_SLAB ? size_bytes(chunk->size) : chunk->length * HEAP_CHUNK;
    if (chunk->kind == HEAP_SLAB ? bytes <= HEAP_SMALL_MAX && size_index(bytes) == chunk->size
                                 : bytes > HEAP_SMALL_MAX && run_resize(heap, index, chunks_for(bytes)))
        return memory;
    void *other = sn_malloc(bytes);
    if (other == NULL)
        return NULL;
    memcpy(other, memory, before < bytes ? before : bytes);
    sn_free(memory);
    return other;
}
