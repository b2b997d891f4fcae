/*
 * fill.h: what fill.c (blocks: fetched, installed, given up) and serve.c (the threads that do it) share.
 * Internal to the C part.
 */
#ifndef SNAPSHOT_FILL_H
#define SNAPSHOT_FILL_H

#include <linux/futex.h>
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "decode.h"
#include "snapshot_native.h"

#define BLOCK_BYTES (IMAGE_BLOCK_PAGES * SN_PAGE_BYTES)
#define PLAIN 0u /* how a block is stored, see snapshot_native.h */
#define PLAIN_BY_PAGE 4u
#define BATCH 4u /* blocks that streaming reads at once: large for a disk, short for a fault behind it */
/* blocks that a streaming thread takes on: two must not fault on one huge page, each clearing it */
#define STRIDE 16u
#define WINDOW_BYTES (BATCH * BLOCK_BYTES)
#define ROOM_BYTES (UINT64_C(2) << 20) /* window, and two blocks: one huge page has them all */

/* What a thread works in. */
struct room {
    unsigned char *window; /* stored bytes */
    unsigned char *decoded;
    unsigned char *between;
    uint64_t zeroed_to; /* where the last zeros ended, and how many they were */
    uint64_t zeroed_bytes;
};

int32_t sn_room_open(struct room *room);
void sn_room_close(struct room *room);

/* Makes an idle block BUSY; 0: another thread was first. */
int sn_block_claim(struct sn_fill_block *block);

/* Fetches a block that this thread has made BUSY, and ends its being BUSY. 0: it failed. */
int sn_block_fetch(struct sn_fill *fill, struct sn_fill_block *block, struct room *room);

/* The same for blocks that lie in the file one after the other. */
void sn_block_fetch_all(struct sn_fill *fill, struct sn_fill_block **blocks, uint32_t count,
                        struct room *room);

/* The place in by_address of the first run that ends after an address. */
uint32_t sn_run_after(const struct sn_fill *fill, uint64_t address);

/* The block that holds a page of a run. */
struct sn_fill_block *sn_block_of(const struct sn_fill *fill, const struct sn_fill_run *run,
                                  uint64_t ordinal);

static inline uint32_t get(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void set(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t wanted_of(const struct sn_fill_block *block)
{
    return __atomic_load_n(&block->wanted, __ATOMIC_SEQ_CST);
}

/* Bytes of a block in the file. */
static inline uint64_t padded(const struct sn_fill_block *block)
{
    return (block->stored + SN_PAGE_BYTES - 1) & ~(SN_PAGE_BYTES - 1);
}

static inline void wake_all(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/*
 * Sleeps while the word has this value, but for a moment at most: whoever waits looks at other things, too.
 */
static inline void wait_while(uint32_t *word, uint32_t value)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &moment, NULL, 0);
}

#endif
