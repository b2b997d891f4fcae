/*
 * freeze.h: what freeze.c (capture: armed, frozen, read), open.c (writes: copied first, let through) and slots.c
 * (memory for the copies) share. Internal to the C part.
 */
#ifndef SNAPSHOT_FREEZE_H
#define SNAPSHOT_FREEZE_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot_native.h"

#define WORD_PAGES 64u
#define BLOCK_WORDS (SN_BLOCK_PAGES / WORD_PAGES)
#define NO_SLOT UINT32_MAX

/* Pages of an extent. */
static inline uint32_t sn_extent_pages(uint32_t extent)
{
    return extent == SN_EXTENT_BLOCK ? SN_BLOCK_PAGES : extent == SN_EXTENT_16 ? 16 : 1;
}

/* An extent of slots, SN_EXTENT_*: its first slot, or NO_SLOT. */
uint32_t sn_slots_take(struct sn_slots *slots, uint32_t extent);

/* The same of a block, if there is one that has memory already. */
uint32_t sn_slots_take_warm(struct sn_slots *slots);

/* A block was copied, to fresh memory or not, and took so long. */
void sn_slots_learn(struct sn_slots *slots, int is_fresh, uint64_t copy_ns);

/*
 * How long to wait for a block's extent to be returned rather than to take fresh memory, in ns, for who waited so long
 * for it already; 0: not at all, as long as it is not known what either costs.
 */
uint64_t sn_slots_patience(const struct sn_slots *slots, uint64_t waited_ns);

/* Somebody waited so long for that. */
void sn_slots_waited(struct sn_slots *slots, uint64_t ns);

/* Whether a copy to fresh memory takes more than twice as long. */
int sn_slots_fresh_is_dear(const struct sn_slots *slots);

/* An extent of 16 behind the limit, for a write that must not wait any longer; NO_SLOT when these, too, are used up. */
uint32_t sn_slots_take_needed(struct sn_slots *slots);

/* Returns an extent. */
void sn_slots_put(struct sn_slots *slots, uint32_t first, uint32_t extent);

/* Something was read, and where it helps one who waits for a slot, everybody who waits looks again. */
void sn_slots_changed(struct sn_slots *slots, int helps);

/* Where nothing was read or returned for so long the drain stands still. */
#define SN_STILL_NS UINT64_C(50000000)

/* Waits until something changes after `seen`, for so long, SN_STILL_NS at most; 0: nothing did. */
int sn_slots_wait(struct sn_slots *slots, uint32_t seen, uint64_t most_ns);

/* ---- by signals (signal.c), where uffd is SN_BY_SIGNALS ---- */

int32_t sn_signal_protect(uint64_t address, uint64_t bytes, int32_t on);

/* Whether the page at an address can be written now; the kernel is asked. */
int sn_is_writable(uint64_t address);

/* A write to the page at an address failed. Opens it if it is a region's; 0: it is somebody else's affair. */
int sn_freezer_serve_at(struct sn_freezer *freezer, uint64_t address);

static inline int sn_is_by_signals(const struct sn_freezer *freezer)
{
    return freezer->uffd == SN_BY_SIGNALS;
}

static inline int32_t sn_protect(const struct sn_freezer *freezer, uint64_t address, uint64_t bytes, int32_t on)
{
    return sn_is_by_signals(freezer) ? sn_signal_protect(address, bytes, on)
                                     : sn_uffd_protect(freezer->uffd, address, bytes, on);
}

/* Gives write access to those of a word's pages that are in `bits`. By signals only; the block is locked. */
void sn_open_bits(struct sn_freezer *freezer, struct sn_region *region, uint64_t word, uint64_t bits);

/* Waits until a count of threads that look at something is zero. */
void sn_wait_until_zero(const uint32_t *inside);

/* Held shortly, by native code alone: a thread in managed code can be stopped by a collection while it holds it. */
void sn_block_lock(struct sn_block *block);
void sn_block_unlock(struct sn_block *block);

/*
 * Copies the frozen pages among those of an extent away. The block is locked. `slot` is the first of an extent of that
 * size. Returns how long that took, in ns.
 */
uint64_t sn_block_copy(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent,
                       uint32_t slot);

/* Whether the pages of an extent hold frozen ones. The block is locked. */
int sn_block_frozen(const struct sn_region *region, uint64_t first, uint32_t extent);

/* The bits of the pages [first, first+count) of one word that holds them all. */
static inline uint64_t sn_bits(uint64_t first, uint64_t count)
{
    return (count >= WORD_PAGES ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << (first % WORD_PAGES);
}

/* What `slots` holds of a page: the slot of its copy, and which extent the slot is in. */
static inline uint32_t sn_entry(uint32_t slot, uint32_t extent)
{
    return extent << 30 | slot;
}

static inline uint32_t sn_entry_slot(uint32_t entry)
{
    return entry & (UINT32_MAX >> 2);
}

static inline uint32_t sn_entry_extent(uint32_t entry)
{
    return entry >> 30;
}

/* How many of the pages [page, end) are in the word of the first. */
static inline uint64_t sn_in_word(uint64_t page, uint64_t end)
{
    uint64_t rest = WORD_PAGES - page % WORD_PAGES;
    return rest < end - page ? rest : end - page;
}

/* The first of the pages that are copied together with a page. */
static inline uint64_t sn_extent_first(uint64_t page, uint32_t extent)
{
    return page / sn_extent_pages(extent) * sn_extent_pages(extent);
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

#endif
