/*
 * open.c: writes to armed memory. A thread that writes an armed page waits; a server copies away what of its
 * span is frozen, notes the write, and lets it through: to the whole span, so that a huge page stays one.
 * Where there is no room for the copies of a span, it goes by 16 pages. What all of this is for and its
 * invariants are in freeze.c.
 *
 * Spans ahead. Most codes sweep. When the span before the written one was opened, too, since the last
 * collect, the server goes on after it has let the writer through, and opens some of the spans that follow,
 * twice as many each time up to AHEAD_MAX. A sweep then faults once in so many spans, and its copies are
 * made beside it.
 */
#include "open.h"

#include "invariant.h"
#include "protect.h"
#include "slots.h"

#define AHEAD_MAX 8u

/* Of 50 ms each (slots.c): a second in which nothing was read or returned. */
#define WAITS_IN_VAIN_MAX 20u

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

/* Lets writes to pages through. The span is locked and nothing of them is frozen. */
static void let_through(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t pages)
{
    struct sn_span *span = &region->spans[first / SN_SPAN_PAGES];
    uint64_t shut[SPAN_WORDS];
    if (span->order == 0)
        __atomic_store_n(&span->order, __atomic_add_fetch(&region->opened, 1, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
    __atomic_store_n(&span->opened, 1, __ATOMIC_RELAXED);
    for (uint64_t page = first; page < first + pages; page += WORD_PAGES) {
        /* What was not armed may have no memory: armed by the next collect, it would be written unseen. */
        uint64_t word = page / WORD_PAGES, bits = sn_bits(page, pages);
        /* Else the image would get what the write makes of it. */
        SN_INVARIANT((region->frozen[word] & bits) == 0, "what is let through is not frozen");
        uint64_t armed = bits & get64(&region->armed[word]), written = get64(&region->written[word]);
        shut[(page - first) / WORD_PAGES] = armed | (bits & written);
        set64(&region->written[word], written | armed);
        set64(&region->armed[word], get64(&region->armed[word]) & ~armed);
    }
    if (sn_is_by_signals(freezer)) {
        open_shut(freezer, region, first, pages, shut);
        return;
    }
    /* What is the region's of them: of other memory nobody knows what protects it. */
    uint64_t from = first > region->first ? first : region->first;
    uint64_t end = first + pages < region->end ? first + pages : region->end;
    sn_unprotect(freezer, region->start + from * SN_PAGE_BYTES, (end - from) * SN_PAGE_BYTES);
}

/* ---- a write ------------------------------------------------------------------------------------------- */

/* Gives up what is frozen of the pages of an extent. The span is locked. */
static void give_up(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint32_t extent)
{
    uint32_t pages = sn_extent_pages(extent);
    sn_spoil(freezer);
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

/* The drain may come to the span meanwhile, or return slots. The span is not locked. */
static void wait_for_room(struct sn_freezer *freezer, struct wait *wait)
{
    struct sn_slots *slots = &freezer->slots;
    uint64_t began = sn_now_ns();
    int moved = sn_slots_wait(slots, wait->seen, wait->patience != 0 ? wait->patience : SN_STILL_NS);
    uint64_t took = sn_now_ns() - began;
    sn_count(&freezer->waits, 1);
    sn_count(&freezer->wait_ns, took);
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

/*
 * Copies what is frozen of a span, which is locked, to memory that was used before, or to any; 0: there is
 * none.
 */
static int copy_span(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, int may_be_fresh)
{
    struct sn_slots *slots = &freezer->slots;
    uint32_t slot = sn_slots_take_warm(slots);
    int is_fresh = slot == NO_SLOT;
    if (is_fresh && may_be_fresh)
        slot = sn_slots_take(slots, SN_EXTENT_SPAN);
    if (slot == NO_SLOT)
        return 0;
    sn_slots_learn(slots, is_fresh, sn_span_copy(freezer, region, first, SN_EXTENT_SPAN, slot));
    return 1;
}

/* The same of 16 pages, where there is no room for a span. */
static int copy_piece(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, int needed)
{
    uint32_t slot = needed ? sn_slots_take_needed(&freezer->slots) : NO_SLOT;
    if (slot == NO_SLOT)
        slot = sn_slots_take(&freezer->slots, SN_EXTENT_16);
    if (slot == NO_SLOT)
        return 0;
    sn_span_copy(freezer, region, first, SN_EXTENT_16, slot);
    return 1;
}

/*
 * Copies away what is frozen of a page's span, or in need 16 pages of it, and returns which, with the span
 * locked. A handler of a signal must not wait for ever: after so many waits in vain it gives up what is
 * frozen; 0: no limit.
 */
static uint32_t secure(struct sn_freezer *freezer, struct sn_region *region, uint64_t page,
                       uint32_t waits_max)
{
    uint32_t extent = SN_EXTENT_SPAN;
    struct sn_span *span = &region->spans[page / SN_SPAN_PAGES];
    struct wait wait = {.patience = sn_slots_patience(&freezer->slots, 0),
                        .seen = __atomic_load_n(&freezer->slots.changes, __ATOMIC_SEQ_CST)};
    for (;;) {
        uint64_t first = sn_extent_first(page, extent);
        sn_span_lock(span);
        if (!sn_span_frozen(region, first, extent))
            return extent;
        if (extent == SN_EXTENT_SPAN ? copy_span(freezer, region, first, wait.patience == 0)
                                     : copy_piece(freezer, region, first, wait.needed))
            return extent;
        if (waits_max != 0 && wait.in_vain == waits_max) {
            give_up(freezer, region, first, extent);
            return extent;
        }
        sn_span_unlock(span);
        wait_for_room(freezer, &wait);
        if (wait.needed)
            extent = SN_EXTENT_16;
    }
}

static int is_armed(const struct sn_region *region, uint64_t span)
{
    for (uint32_t i = 0; i < SPAN_WORDS; i++) {
        if (get64(&region->armed[span * SPAN_WORDS + i]) != ~UINT64_C(0))
            return 0;
    }
    return 1;
}

/*
 * Opens a span before it is written; one that somebody is at already is passed over. 0: it, and what
 * follows, is to be left alone.
 */
static int open_ahead(struct sn_freezer *freezer, struct sn_region *region, uint64_t span, uint32_t ahead)
{
    struct sn_slots *slots = &freezer->slots;
    struct sn_span *it = &region->spans[span];
    int opened = 0;
    if (!sn_span_try_lock(it))
        return 1;
    if (__atomic_load_n(&freezer->held, __ATOMIC_SEQ_CST) == 0 && is_armed(region, span)) {
        uint64_t first = span * SN_SPAN_PAGES;
        opened = !sn_span_frozen(region, first, SN_EXTENT_SPAN);
        /*
         * Copies that nobody waits for take no memory that is dear or that others wait for, and leave a
         * quarter.
         */
        if (!opened && __atomic_load_n(&slots->used, __ATOMIC_RELAXED) < slots->limit / 4 * 3 &&
            __atomic_load_n(&slots->waiting, __ATOMIC_RELAXED) == 0)
            opened = copy_span(freezer, region, first, !sn_slots_fresh_is_dear(slots));
        if (opened) {
            let_through(freezer, region, first, SN_SPAN_PAGES);
            __atomic_store_n(&it->ahead, (uint16_t)ahead, __ATOMIC_RELAXED);
            sn_count(&freezer->opened_ahead, SN_SPAN_PAGES);
        }
    }
    sn_span_unlock(it);
    return opened;
}

/* How many spans to open after this one: 0 unless the one before was opened. */
static uint32_t ahead_of(const struct sn_region *region, uint64_t span)
{
    if (span == 0)
        return 0;
    const struct sn_span *before = &region->spans[span - 1];
    if (__atomic_load_n(&before->order, __ATOMIC_RELAXED) == 0)
        return 0;
    uint32_t ahead = 2u * __atomic_load_n(&before->ahead, __ATOMIC_RELAXED);
    return ahead == 0 ? 1 : ahead > AHEAD_MAX ? AHEAD_MAX : ahead;
}

void sn_serve_write(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint64_t span = page / SN_SPAN_PAGES;
    /* By signals the writing thread itself would have to open what is ahead. */
    uint32_t ahead = sn_is_by_signals(freezer) ? 0 : ahead_of(region, span);
    uint32_t extent = secure(freezer, region, page, sn_is_by_signals(freezer) ? WAITS_IN_VAIN_MAX : 0);
    let_through(freezer, region, sn_extent_first(page, extent), sn_extent_pages(extent));
    __atomic_store_n(&region->spans[span].ahead, (uint16_t)ahead, __ATOMIC_RELAXED);
    sn_span_unlock(&region->spans[span]);
    uint64_t spans = region->pages / SN_SPAN_PAGES;
    for (uint64_t next = span + 1; extent == SN_EXTENT_SPAN && next <= span + ahead && next < spans; next++) {
        if (!open_ahead(freezer, region, next, ahead))
            break;
    }
}

int32_t sn_region_secure(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count;) {
        uint32_t extent = secure(freezer, region, page, 0);
        sn_span_unlock(&region->spans[page / SN_SPAN_PAGES]);
        page = sn_extent_first(page, extent) + sn_extent_pages(extent);
    }
    return 0;
}

int32_t sn_region_open(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count;) {
        struct sn_span *span = &region->spans[page / SN_SPAN_PAGES];
        uint32_t extent = secure(freezer, region, page, 0);
        let_through(freezer, region, sn_extent_first(page, extent), sn_extent_pages(extent));
        sn_span_unlock(span);
        page = sn_extent_first(page, extent) + sn_extent_pages(extent);
    }
    return 0;
}
