/*
 * span.c: one span of frozen memory: its lock, the bits of its pages, copying it, and giving write access
 * to it.
 */
#include "span.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foreign.h"
#include "invariant.h"
#include "protect.h"
#include "vector.h"

/* ---- a span's lock: 0 free, 1 held, 2 held and waited for (Drepper, "Futexes Are Tricky") ------------- */

void sn_span_lock(struct sn_span *span)
{
    uint32_t state = 0;
    if (__atomic_compare_exchange_n(&span->lock, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    if (state != 2)
        state = __atomic_exchange_n(&span->lock, 2, __ATOMIC_ACQUIRE);
    while (state != 0) {
        syscall(SYS_futex, &span->lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
        state = __atomic_exchange_n(&span->lock, 2, __ATOMIC_ACQUIRE);
    }
}

int sn_span_try_lock(struct sn_span *span)
{
    uint32_t state = 0;
    return __atomic_compare_exchange_n(&span->lock, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void sn_span_unlock(struct sn_span *span)
{
    uint32_t state = __atomic_exchange_n(&span->lock, 0, __ATOMIC_RELEASE);
    /* Else two were at it at once: one may have let a write through that the other was to copy before. */
    SN_INVARIANT(state != 0, "a span is unlocked by whoever locked it");
    if (state == 2)
        syscall(SYS_futex, &span->lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- the pages of an extent ---------------------------------------------------------------------------- */

int sn_span_frozen(const struct sn_region *region, uint64_t first, uint32_t extent)
{
    if (extent != SN_EXTENT_SPAN)
        return (region->frozen[first / WORD_PAGES] & sn_bits(first, sn_extent_pages(extent))) != 0;
    uint64_t any = 0;
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        any |= region->frozen[first / WORD_PAGES + i];
    return any != 0;
}

/*
 * Copies pages past the cache: nobody reads the copy before the drain does, and its lines need not be read
 * before they are written. A sixth less time than memcpy for a sweep and its copies together.
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

/* Of the pages of an extent, word by word: a comparison or two for up to 64 pages. */
static void expect_one_place(const struct sn_region *region, uint64_t first, uint32_t extent)
{
    uint32_t pages = sn_extent_pages(extent);
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES) {
        uint64_t word = page / WORD_PAGES, frozen = region->frozen[word] & sn_bits(page, pages);
        /* Else it may have been written since it was frozen, and what is copied is a later content. */
        SN_INVARIANT((frozen & ~get64(&region->armed[word])) == 0, "a frozen page is armed");
        /* Else the slot of the older copy would be forgotten with its number, and never be returned. */
        SN_INVARIANT((frozen & region->copied[word]) == 0, "a page is frozen or copied, never both");
    }
}

uint64_t sn_span_copy(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent,
                      uint32_t slot)
{
    /*
     * Else its upper bits would say that the copy is in another extent, and a read would deliver what is
     * there.
     */
    SN_INVARIANT(slot <= (UINT32_C(1) << SLOT_BITS) - sn_extent_pages(extent),
                 "the number of a slot fits beside its extent");
    expect_one_place(region, first, extent);
    uint64_t began = sn_now_ns();
    uint64_t end = first + sn_extent_pages(extent), copied = 0;
    for (uint64_t page = first; page < end;) {
        /* Neighbours in one copy: for a whole span that is one of 2 MiB. */
        uint64_t run = page;
        while (run < end && (region->frozen[run / WORD_PAGES] & sn_bits(run, 1)) != 0) {
            region->slots[run] = sn_entry(slot + (uint32_t)(run - first), extent);
            region->copied[run / WORD_PAGES] |= sn_bits(run, 1);
            region->frozen[run / WORD_PAGES] &= ~sn_bits(run, 1);
            run++;
        }
        unsigned char *to = sn_slot_at(&freezer->slots, slot + (uint32_t)(page - first));
        if (run > page && region->foreign != 0)
            sn_foreign_read(region, (uintptr_t)sn_page_at(region, page), (run - page) * SN_PAGE_BYTES, to);
        else if (run > page)
            copy_pages(to, sn_page_at(region, page), run - page);
        copied += run - page;
        page = run > page ? run : page + 1;
    }
    uint64_t took = sn_now_ns() - began;
    sn_count(&freezer->copied, copied);
    sn_count(&freezer->copy_ns, took);
    return took;
}

/* ---- write access -------------------------------------------------------------------------------------- */

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
        sn_spoil(freezer);
        sn_signal_protect(region->start,
                          __atomic_load_n(&region->collected, __ATOMIC_RELAXED) * SN_PAGE_BYTES, 0);
        return;
    }
}
