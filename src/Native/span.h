/*
 * span.h: a span of frozen memory: its lock, the bits of its pages, copying it, and giving write access to
 * it. Internal to the C part.
 *
 * The files of frozen memory, from the bottom up: each calls only what stands before it here.
 *   memory.c, track.c   system calls
 *   protect.c           write protection of pages, by userfaultfd or by mprotect
 *   foreign.c           reading frozen pages that somebody else may free
 *   span.c              one span, as said above
 *   slots.c             memory for copies of pages
 *   open.c              a write: what is frozen is copied first, then the write is let through
 *   freeze.c            capture: pages are armed and frozen
 *   deliver.c           what is frozen is read. None of these three calls another
 *   regions.c           which regions there are, and the threads that serve writes to them
 *   signal.c            the handler of SIGSEGV that serves writes instead of those threads
 * What frozen memory is, and its invariants, are in freeze.c.
 */
#ifndef SNAPSHOT_SPAN_H
#define SNAPSHOT_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "snapshot_native.h"

#define WORD_PAGES 64u
#define SPAN_WORDS (SN_SPAN_PAGES / WORD_PAGES)

/* Slots have numbers of so many bits: what is left of a word says which extent a slot is in. */
#define SLOT_BITS 30

/*
 * Held shortly, by native code alone: a thread in managed code can be stopped by a collection while it holds
 * it.
 */
void sn_span_lock(struct sn_span *span);
void sn_span_unlock(struct sn_span *span);

/* 0: somebody else holds it. */
int sn_span_try_lock(struct sn_span *span);

/* Whether the pages of an extent hold frozen ones. The span is locked. */
int sn_span_frozen(const struct sn_region *region, uint64_t first, uint32_t extent);

/*
 * Copies the frozen pages among those of an extent away. The span is locked. `slot` is the first of an
 * extent of that size. Returns how long that took, in ns.
 */
uint64_t sn_span_copy(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent,
                      uint32_t slot);

/* Gives write access to those of a word's pages that are in `bits`. By signals only; the span is locked. */
void sn_open_bits(struct sn_freezer *freezer, struct sn_region *region, uint64_t word, uint64_t bits);

/* What is frozen is given up: whoever reads it is told. */
static inline void sn_spoil(struct sn_freezer *freezer)
{
    __atomic_add_fetch(&freezer->spoiled, 1, __ATOMIC_SEQ_CST);
}

/* Pages of an extent. */
static inline uint32_t sn_extent_pages(uint32_t extent)
{
    return extent == SN_EXTENT_SPAN ? SN_SPAN_PAGES : extent == SN_EXTENT_16 ? 16 : 1;
}

/* The first of the pages that are copied together with a page. */
static inline uint64_t sn_extent_first(uint64_t page, uint32_t extent)
{
    return page / sn_extent_pages(extent) * sn_extent_pages(extent);
}

/* The bits of the pages [first, first+count) of one word that holds them all. */
static inline uint64_t sn_bits(uint64_t first, uint64_t count)
{
    return (count >= WORD_PAGES ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << (first % WORD_PAGES);
}

/* What `slots` holds of a page: the slot of its copy, and which extent the slot is in. */
static inline uint32_t sn_entry(uint32_t slot, uint32_t extent)
{
    return extent << SLOT_BITS | slot;
}

static inline uint32_t sn_entry_slot(uint32_t entry)
{
    return entry & ((UINT32_C(1) << SLOT_BITS) - 1);
}

static inline uint32_t sn_entry_extent(uint32_t entry)
{
    return entry >> SLOT_BITS;
}

/* How many of the pages [page, end) are in the word of the first. */
static inline uint64_t sn_in_word(uint64_t page, uint64_t end)
{
    uint64_t rest = WORD_PAGES - page % WORD_PAGES;
    return rest < end - page ? rest : end - page;
}

/* Bits that are also read without the lock. Which thread sees what when is the lock's matter. */
static inline uint64_t get64(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void set64(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline unsigned char *sn_page_at(const struct sn_region *region, uint64_t page)
{
    return (unsigned char *)(uintptr_t)(region->start + page * SN_PAGE_BYTES);
}

static inline unsigned char *sn_slot_at(const struct sn_slots *slots, uint32_t slot)
{
    return (unsigned char *)(uintptr_t)(slots->base + slot * SN_PAGE_BYTES);
}

static inline void sn_count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

static inline uint64_t sn_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
