/*
 * heap.h: the heap of native threads, behind sn_malloc. All it keeps is in the memory that it is given, in an
 * arena: it is captured with the allocations, and a thread may be captured in the middle of an allocation.
 *
 *   header | chunks | maps | chunk 0 | chunk 1 | ...
 *
 * A chunk is 64 KiB. Allocations up to 32 KiB are cells of slabs of one chunk, all of one size; what is in
 * use is in the chunk's map, not in the cells: a freed cell is not written to. Larger allocations are runs of
 * chunks. What lies behind the last chunk that was ever in use is untouched, and so is what the tables have
 * for it.
 *
 * Locks: one for each size, for the slabs of that size; one for runs, taken last.
 */
#ifndef SNAPSHOT_MODULE_HEAP_H
#define SNAPSHOT_MODULE_HEAP_H

#include <stdint.h>

#define HEAP_MAGIC UINT64_C(0x706165484b4e5331)
#define HEAP_VERSION 1u
#define HEAP_GRAIN 16u
#define HEAP_CHUNK UINT64_C(65536)
#define HEAP_SMALL_MAX 32768u
/* up to here sizes are multiples of the grain; beyond, four for each doubling */
#define HEAP_STEP_MAX 1024u
#define HEAP_SIZES 84u
#define HEAP_MAP_WORDS 64u /* a bit for each grain of a chunk */
#define HEAP_BINS 32u      /* free runs by the logarithm of their length */
#define HEAP_NONE UINT32_MAX

enum heap_kind {
    HEAP_INSIDE = 0, /* of a run, but not its first chunk; or never in use */
    HEAP_SLAB = 1,
    HEAP_RUN = 2,
    HEAP_FREE = 3, /* a free run: its first chunk, and its last, have its length */
};

struct heap_chunk {
    uint32_t kind;
    uint32_t length;   /* of a run: in chunks. Of a slab: how many cells are in use */
    uint32_t size;     /* of a slab: which size; else 0 */
    uint32_t hint;     /* of a slab: the word of its map to look at first */
    uint32_t previous; /* in the list of a bin, or of slabs of a size with free cells */
    uint32_t next;
};

struct heap_list {
    uint32_t lock;
    uint32_t first;
};

struct heap {
    uint64_t magic;
    uint32_t version;
    uint32_t chunk_count;
    uint64_t address; /* its own */
    uint64_t bytes;
    uint64_t first_chunk; /* addresses */
    uint64_t chunks;
    uint64_t maps;
    uint32_t runs_lock;
    uint32_t fresh;   /* the first chunk behind all that are in use or in bins */
    uint32_t touched; /* the first chunk that was never in use: it is zero */
    uint32_t bins[HEAP_BINS];
    struct heap_list sizes[HEAP_SIZES]; /* slabs with free cells */
};

#endif
