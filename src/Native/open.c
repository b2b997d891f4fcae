/*
 * open.c: writes to armed memory. A thread that writes an armed page waits; a server copies away what of its block is
 * frozen, notes the write, and lets it through: to the whole block, so that a huge page stays one. Where there is no
 * room for the copies of a block, it goes by 16 pages. What all of this is for and its invariants are in freeze.c.
 *
 * Blocks ahead. Most codes sweep. When the block before the written one was opened, too, since the last collect, the
 * server goes on after it has let the writer through, and opens some of the blocks that follow, twice as many each time
 * up to AHEAD_MAX. A sweep then faults once in so many blocks, and its copies are made beside it.
 */
#include "freeze.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vector.h"

#define AHEAD_MAX 8u

/* Of 50 ms each (slots.c): a second in which nothing was read or returned. */
#define WAITS_IN_VAIN_MAX 20u

#define OPEN_TRIES 100
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

/* ---- a block's lock: 0 free, 1 held, 2 held and waited for (Drepper, "Futexes Are Tricky") ---------------- */

void sn_block_lock(struct sn_block *block)
{
    uint32_t state = 0;
    if (__atomic_compare_exchange_n(&block->lock, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    if (state != 2)
        state = __atomic_exchange_n(&block->lock, 2, __ATOMIC_ACQUIRE);
    while (state != 0) {
        syscall(SYS_futex, &block->lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
        state = __atomic_exchange_n(&block->lock, 2, __ATOMIC_ACQUIRE);
    }
}

/* 0: somebody else holds it. */
static int try_lock(struct sn_block *block)
{
    uint32_t state = 0;
    return __atomic_compare_exchange_n(&block->lock, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void sn_block_unlock(struct sn_block *block)
{
    if (__atomic_exchange_n(&block->lock, 0, __ATOMIC_RELEASE) == 2)
        syscall(SYS_futex, &block->lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- the pages of an extent ------------------------------------------------------------------------------ */

int sn_block_frozen(const struct sn_region *region, uint64_t first, uint32_t extent)
{
    if (extent != SN_EXTENT_BLOCK)
        return (region->frozen[first / WORD_PAGES] & sn_bits(first, sn_extent_pages(extent))) != 0;
    uint64_t any = 0;
    for (uint32_t i = 0; i < BLOCK_WORDS; i++)
        any |= region->frozen[first / WORD_PAGES + i];
    return any != 0;
}

/*
 * Copies pages past the cache: nobody reads the copy before the drain does, and its lines need not be read before they
 * are written. A sixth less time than memcpy for a sweep and its copies together.
 */
static void copy_pages(unsigned char *target, const unsigned char *source, uint64_t pages)
{
    sn_pair *to = (sn_pair *)(void *)target;
    const sn_pair *from = (const sn_pair *)(const void *)source;
    for (uint64_t i = 0; i < pages * SN_PAGE_BYTES / sizeof *to; i += 4) {
        sn_pair a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
        sn_store_past_cache(to + i, a);
        sn_store_past_cache(to + i + 1, b);
        sn_store_past_cache(to + i + 2, c);
        sn_store_past_cache(to + i + 3, d);
    }
    sn_stores_end();
}

uint64_t sn_block_copy(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent,
                       uint32_t slot)
{
    uint64_t began = now_ns();
    uint64_t end = first + sn_extent_pages(extent), copied = 0;
    for (uint64_t page = first; page < end;) {
        /* Neighbours in one copy: for a whole block that is one of 2 MiB. */
        uint64_t run = page;
        while (run < end && (region->frozen[run / WORD_PAGES] & sn_bits(run, 1)) != 0) {
            region->slots[run] = sn_entry(slot + (uint32_t)(run - first), extent);
            region->copied[run / WORD_PAGES] |= sn_bits(run, 1);
            region->frozen[run / WORD_PAGES] &= ~sn_bits(run, 1);
            run++;
        }
        if (run > page)
            copy_pages(sn_slot_at(&freezer->slots, slot + (uint32_t)(page - first)), sn_page_at(region, page),
                       run - page);
        copied += run - page;
        page = run > page ? run : page + 1;
    }
    uint64_t took = now_ns() - began;
    count(&freezer->copied, copied);
    count(&freezer->copy_ns, took);
    return took;
}

/*
 * Unprotects, which wakes who waits. A failure means that the memory is gone, or is not registered any more: who waits
 * finds that out by trying again.
 */
static void unprotect(struct sn_freezer *freezer, uint64_t address, uint64_t bytes)
{
    if (sn_uffd_protect(freezer->uffd, address, bytes, 0) != 0)
        sn_uffd_wake(freezer->uffd, address, bytes);
}

/* What is frozen is given up: whoever reads it is told. */
static void spoil(struct sn_freezer *freezer)
{
    __atomic_add_fetch(&freezer->spoiled, 1, __ATOMIC_SEQ_CST);
}

void sn_open_bits(struct sn_freezer *freezer, struct sn_region *region, uint64_t word, uint64_t bits)
{
    while (bits != 0) {
        unsigned from = (unsigned)__builtin_ctzll(bits);
        uint64_t above = ~(bits >> from);
        unsigned count = above == 0 ? WORD_PAGES - from : (unsigned)__builtin_ctzll(above);
        uint64_t first = word * WORD_PAGES + from;
        bits &= ~sn_bits(first, count);
        if (sn_signal_protect(region->start + first * SN_PAGE_BYTES, count * SN_PAGE_BYTES, 0) == 0)
            continue;
        /* No mapping is left for it. One for all of the memory takes fewer than there are. */
        __atomic_store_n(&region->lost, 1, __ATOMIC_SEQ_CST);
        spoil(freezer);
        sn_signal_protect(region->start, __atomic_load_n(&region->collected, __ATOMIC_RELAXED) * SN_PAGE_BYTES, 0);
        return;
    }
}

/* Gives write access to those of some pages that had none: one call for all of them, as it mostly is. */
static void open_shut(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t pages,
                      const uint64_t *shut)
{
    uint64_t open = 0;
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES)
        open |= sn_bits(page, pages) & ~shut[(page - first) / WORD_PAGES];
    if (open == 0 && sn_signal_protect(region->start + first * SN_PAGE_BYTES, pages * SN_PAGE_BYTES, 0) == 0)
        return;
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES)
        sn_open_bits(freezer, region, page / WORD_PAGES, shut[(page - first) / WORD_PAGES]);
}

/* Lets writes to pages through. The block is locked and nothing of them is frozen. */
static void let_through(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t pages)
{
    struct sn_block *block = &region->blocks[first / SN_BLOCK_PAGES];
    uint64_t shut[BLOCK_WORDS];
    if (block->order == 0)
        __atomic_store_n(&block->order, __atomic_add_fetch(&region->opened, 1, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    __atomic_store_n(&block->opened, 1, __ATOMIC_RELAXED);
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES) {
        /* What was not armed may have no memory: armed by the next collect, it would be written unseen. */
        uint64_t word = page / WORD_PAGES, bits = sn_bits(page, pages);
        uint64_t armed = bits & get64(&region->armed[word]), written = get64(&region->written[word]);
        shut[(page - first) / WORD_PAGES] = armed | (bits & written);
        set64(&region->written[word], written | armed);
        set64(&region->armed[word], get64(&region->armed[word]) & ~armed);
    }
    if (sn_is_by_signals(freezer))
        open_shut(freezer, region, first, pages, shut);
    else
        unprotect(freezer, region->start + first * SN_PAGE_BYTES, pages * SN_PAGE_BYTES);
}

/* ---- a write -------------------------------------------------------------------------------------------- */

/* Gives up what is frozen of the pages of an extent. The block is locked. */
static void give_up(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent)
{
    uint32_t pages = sn_extent_pages(extent);
    spoil(freezer);
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES)
        region->frozen[page / WORD_PAGES] &= ~sn_bits(page, pages);
}

/* How a write waits for room for its copy: first for memory that was used before, then for any at all. */
struct wait {
    uint64_t patience, waited; /* ns left of the first, and spent in it */
    uint32_t seen;
    uint32_t in_vain; /* times nothing moved in the second */
    int needed;       /* nothing moved: the write must not wait any longer */
};

/* The drain may come to the block meanwhile, or return slots. The block is not locked. */
static void wait_for_room(struct sn_freezer *freezer, struct wait *wait)
{
    struct sn_slots *slots = &freezer->slots;
    uint64_t began = now_ns();
    int moved = sn_slots_wait(slots, wait->seen, wait->patience != 0 ? wait->patience : SN_STILL_NS);
    uint64_t took = now_ns() - began;
    count(&freezer->waits, 1);
    count(&freezer->wait_ns, took);
    wait->seen = __atomic_load_n(&slots->changes, __ATOMIC_SEQ_CST);
    if (wait->patience != 0) {
        wait->waited += took;
        sn_slots_waited(slots, took);
        wait->patience = sn_slots_patience(slots, wait->waited);
        return;
    }
    wait->needed = !moved;
    wait->in_vain += moved ? 0 : 1;
}

/* Copies what is frozen of a block, which is locked, to memory that was used before, or to any; 0: there is none. */
static int copy_block(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, int may_be_fresh)
{
    struct sn_slots *slots = &freezer->slots;
    uint32_t slot = sn_slots_take_warm(slots);
    int is_fresh = slot == NO_SLOT;
    if (is_fresh && may_be_fresh)
        slot = sn_slots_take(slots, SN_EXTENT_BLOCK);
    if (slot == NO_SLOT)
        return 0;
    sn_slots_learn(slots, is_fresh, sn_block_copy(freezer, region, first, SN_EXTENT_BLOCK, slot));
    return 1;
}

/* The same of 16 pages, where there is no room for a block. */
static int copy_piece(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, int needed)
{
    uint32_t slot = needed ? sn_slots_take_needed(&freezer->slots) : NO_SLOT;
    if (slot == NO_SLOT)
        slot = sn_slots_take(&freezer->slots, SN_EXTENT_16);
    if (slot == NO_SLOT)
        return 0;
    sn_block_copy(freezer, region, first, SN_EXTENT_16, slot);
    return 1;
}

/*
 * Copies away what is frozen of a page's block, or in need 16 pages of it, and returns which, with the block locked.
 * A handler of a signal must not wait for ever: after so many waits in vain it gives up what is frozen; 0: no limit.
 */
static uint32_t secure(struct sn_freezer *freezer, struct sn_region *region, uint64_t page, uint32_t waits_max)
{
    uint32_t extent = SN_EXTENT_BLOCK;
    struct sn_block *block = &region->blocks[page / SN_BLOCK_PAGES];
    struct wait wait = {.patience = sn_slots_patience(&freezer->slots, 0),
                        .seen = __atomic_load_n(&freezer->slots.changes, __ATOMIC_SEQ_CST)};
    for (;;) {
        uint64_t first = sn_extent_first(page, extent);
        sn_block_lock(block);
        if (!sn_block_frozen(region, first, extent))
            return extent;
        if (extent == SN_EXTENT_BLOCK ? copy_block(freezer, region, first, wait.patience == 0)
                                      : copy_piece(freezer, region, first, wait.needed))
            return extent;
        if (waits_max != 0 && wait.in_vain == waits_max) {
            give_up(freezer, region, first, extent);
            return extent;
        }
        sn_block_unlock(block);
        wait_for_room(freezer, &wait);
        if (wait.needed)
            extent = SN_EXTENT_16;
    }
}

static int is_armed(const struct sn_region *region, uint64_t block)
{
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        if (get64(&region->armed[block * BLOCK_WORDS + i]) != ~UINT64_C(0))
            return 0;
    }
    return 1;
}

/*
 * Opens a block before it is written; one that somebody is at already is passed over. 0: it, and what follows, had
 * better be left alone.
 */
static int open_ahead(struct sn_freezer *freezer, struct sn_region *region, uint64_t block, uint32_t ahead)
{
    struct sn_slots *slots = &freezer->slots;
    struct sn_block *it = &region->blocks[block];
    int opened = 0;
    if (!try_lock(it))
        return 1;
    if (__atomic_load_n(&freezer->held, __ATOMIC_SEQ_CST) == 0 && is_armed(region, block)) {
        uint64_t first = block * SN_BLOCK_PAGES;
        opened = !sn_block_frozen(region, first, SN_EXTENT_BLOCK);
        /* Copies that nobody waits for take no memory that is dear or that others wait for, and leave a quarter. */
        if (!opened && __atomic_load_n(&slots->used, __ATOMIC_RELAXED) < slots->limit / 4 * 3 &&
            __atomic_load_n(&slots->waiting, __ATOMIC_RELAXED) == 0)
            opened = copy_block(freezer, region, first, !sn_slots_fresh_is_dear(slots));
        if (opened) {
            let_through(freezer, region, first, SN_BLOCK_PAGES);
            __atomic_store_n(&it->ahead, (uint16_t)ahead, __ATOMIC_RELAXED);
            count(&freezer->opened_ahead, SN_BLOCK_PAGES);
        }
    }
    sn_block_unlock(it);
    return opened;
}

/* How many blocks to open after this one: 0 unless the one before was opened. */
static uint32_t ahead_of(const struct sn_region *region, uint64_t block)
{
    if (block == 0)
        return 0;
    const struct sn_block *before = &region->blocks[block - 1];
    if (__atomic_load_n(&before->order, __ATOMIC_RELAXED) == 0)
        return 0;
    uint32_t ahead = 2u * __atomic_load_n(&before->ahead, __ATOMIC_RELAXED);
    return ahead == 0 ? 1 : ahead > AHEAD_MAX ? AHEAD_MAX : ahead;
}

static void serve_write(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint64_t block = page / SN_BLOCK_PAGES;
    /* By signals the writing thread itself would have to open what is ahead. */
    uint32_t ahead = sn_is_by_signals(freezer) ? 0 : ahead_of(region, block);
    uint32_t extent = secure(freezer, region, page, sn_is_by_signals(freezer) ? WAITS_IN_VAIN_MAX : 0);
    let_through(freezer, region, sn_extent_first(page, extent), sn_extent_pages(extent));
    __atomic_store_n(&region->blocks[block].ahead, (uint16_t)ahead, __ATOMIC_RELAXED);
    sn_block_unlock(&region->blocks[block]);
    uint64_t blocks = region->pages / SN_BLOCK_PAGES;
    for (uint64_t next = block + 1; extent == SN_EXTENT_BLOCK && next <= block + ahead && next < blocks; next++) {
        if (!open_ahead(freezer, region, next, ahead))
            break;
    }
}

int32_t sn_region_secure(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count;) {
        uint32_t extent = secure(freezer, region, page, 0);
        sn_block_unlock(&region->blocks[page / SN_BLOCK_PAGES]);
        page = sn_extent_first(page, extent) + sn_extent_pages(extent);
    }
    return 0;
}

int32_t sn_region_open(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count;) {
        struct sn_block *block = &region->blocks[page / SN_BLOCK_PAGES];
        uint32_t extent = secure(freezer, region, page, 0);
        let_through(freezer, region, sn_extent_first(page, extent), sn_extent_pages(extent));
        sn_block_unlock(block);
        page = sn_extent_first(page, extent) + sn_extent_pages(extent);
    }
    return 0;
}

/* ---- servers -------------------------------------------------------------------------------------------- */

/* The region of an address, or NULL. The caller counts as inside. */
static struct sn_region *region_of(struct sn_freezer *freezer, uint64_t address)
{
    uint32_t regions = __atomic_load_n(&freezer->region_count, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < regions; i++) {
        struct sn_region *region = __atomic_load_n(&freezer->regions[i], __ATOMIC_SEQ_CST);
        if (region != NULL && address - region->start < region->pages * SN_PAGE_BYTES)
            return region;
    }
    return NULL;
}

static void serve(struct sn_freezer *freezer, uint64_t address)
{
    count(&freezer->faults, 1);
    __atomic_add_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
    struct sn_region *found = region_of(freezer, address);
    if (found != NULL)
        serve_write(freezer, found, (address - found->start) / SN_PAGE_BYTES);
    else /* its region was removed while the kernel could not end the registration: nobody tracks it */
        unprotect(freezer, address, SN_PAGE_BYTES);
    __atomic_sub_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
}

/* Whether a page is armed, or was opened since the last collect: then it may have no write access by our doing. */
static int is_ours(struct sn_region *region, uint64_t page)
{
    struct sn_block *block = &region->blocks[page / SN_BLOCK_PAGES];
    uint64_t word = page / WORD_PAGES;
    sn_block_lock(block);
    uint64_t bits = (get64(&region->armed[word]) | get64(&region->written[word])) & sn_bits(page, 1);
    sn_block_unlock(block);
    return bits != 0;
}

/*
 * A collect may arm and protect the page again between any two steps, so each answer is asked for anew. It does not do
 * so OPEN_TRIES times in a row: then the kernel refuses to open the page (ulimit -d counts memory that can be written),
 * and the fault would come for ever.
 */
static int open_at(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    for (int tried = 0; tried < OPEN_TRIES; tried++) {
        int ours = is_ours(region, page);
        if (ours) {
            count(&freezer->faults, 1);
            serve_write(freezer, region, page);
        }
        if (sn_is_writable(region->start + page * SN_PAGE_BYTES))
            return 1;
        if (!ours && !is_ours(region, page))
            return 0;
    }
    return 0;
}

int sn_freezer_serve_at(struct sn_freezer *freezer, uint64_t address)
{
    __atomic_add_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
    struct sn_region *region = region_of(freezer, address);
    int served = region != NULL && open_at(freezer, region, (address - region->start) / SN_PAGE_BYTES);
    __atomic_sub_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
    return served;
}

int32_t sn_freezer_serve(struct sn_freezer *freezer)
{
    __atomic_add_fetch(&freezer->serving, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        struct pollfd ready[2] = {{.fd = freezer->uffd, .events = POLLIN}, {.fd = freezer->stop, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0)
            continue; /* EINTR; nothing else is possible */
        if (ready[1].revents != 0)
            return 0;
        /* One message a time: what another server could take is not kept from it. */
        struct uffd_msg message;
        while (read(freezer->uffd, &message, sizeof message) == (ssize_t)sizeof message) {
            if (message.event == UFFD_EVENT_PAGEFAULT)
                serve(freezer, message.arg.pagefault.address & ~(SN_PAGE_BYTES - 1));
        }
    }
}

/* ---- regions -------------------------------------------------------------------------------------------- */

int32_t sn_region_add(struct sn_freezer *freezer, struct sn_region *region)
{
    uint32_t at = 0, count = freezer->region_count;
    while (at < count && freezer->regions[at] != NULL)
        at++;
    if (at == SN_REGIONS_MAX)
        return ENOSPC;
    int32_t error = 0;
    if (!sn_is_by_signals(freezer))
        error = sn_uffd_register_wp(freezer->uffd, region->start, region->pages * SN_PAGE_BYTES);
    if (error != 0)
        return error;
    __atomic_store_n(&freezer->regions[at], region, __ATOMIC_SEQ_CST);
    if (at == count)
        __atomic_store_n(&freezer->region_count, count + 1, __ATOMIC_SEQ_CST);
    return 0;
}

int32_t sn_region_remove(struct sn_freezer *freezer, struct sn_region *region)
{
    /* First the registration: it wakes who waits, and nobody waits any more after it. */
    int32_t error = sn_is_by_signals(freezer)
                        ? sn_region_disarm(freezer, region, 0, region->pages)
                        : sn_uffd_unregister(freezer->uffd, region->start, region->pages * SN_PAGE_BYTES);
    for (uint32_t i = 0; i < freezer->region_count; i++) {
        if (freezer->regions[i] == region)
            __atomic_store_n(&freezer->regions[i], NULL, __ATOMIC_SEQ_CST);
    }
    sn_wait_until_zero(&freezer->inside);
    return error;
}

void sn_wait_until_zero(const uint32_t *inside)
{
    while (__atomic_load_n(inside, __ATOMIC_SEQ_CST) != 0) {
        const struct timespec moment = {.tv_nsec = 100000};
        nanosleep(&moment, NULL);
    }
}
