/*
 * deliver.c: frozen pages are read, once, from where they are: their place, or the slot of their copy. What
 * frozen memory is, and its invariants, are in freeze.c.
 */
#include "span.h"

#include <errno.h>
#include <string.h>

#include "foreign.h"
#include "invariant.h"
#include "slots.h"

/* Whether a copied page among `bits` of a word is in that extent; `origin` is its slot less its page. */
static int uses_extent(const struct sn_region *region, uint64_t word, uint64_t bits, uint32_t extent,
                       uint64_t origin)
{
    for (bits &= region->copied[word]; bits != 0; bits &= bits - 1) {
        uint64_t page = word * WORD_PAGES + (uint64_t)__builtin_ctzll(bits);
        uint32_t entry = region->slots[page];
        if (sn_entry_extent(entry) == extent && sn_entry_slot(entry) - page == origin)
            return 1;
    }
    return 0;
}

/*
 * Returns the extent that a page's copy is in when no page in it is wanted any more; 0: one still is. Other
 * pages of the span may have theirs in other extents: some had to be copied for need, some in the pause.
 */
static int let_go(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint32_t extent = sn_entry_extent(region->slots[page]);
    uint32_t pages = sn_extent_pages(extent);
    uint64_t first = sn_extent_first(page, extent);
    uint64_t slot = sn_entry_slot(region->slots[page]);
    for (uint64_t at = first; at < first + pages; at += WORD_PAGES) {
        if (uses_extent(region, at / WORD_PAGES, sn_bits(at, pages), extent, slot - page))
            return 0;
    }
    sn_slots_put(&freezer->slots, (uint32_t)(slot - (page - first)), extent);
    return 1;
}

/* Where the content of a page is, or NULL: it is zero. */
static const unsigned char *content(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint64_t bit = sn_bits(page, 1);
    /* Else it is not known which of the two is of the moment of capture. */
    SN_INVARIANT((region->frozen[page / WORD_PAGES] & region->copied[page / WORD_PAGES] & bit) == 0,
                 "a page is frozen or copied, never both");
    if ((region->frozen[page / WORD_PAGES] & bit) != 0)
        return sn_page_at(region, page);
    if ((region->copied[page / WORD_PAGES] & bit) == 0)
        return NULL;
    return sn_slot_at(&freezer->slots, sn_entry_slot(region->slots[page]));
}

/* The first page behind `page` that is not the next one of the same copy, or zero like it. */
static uint64_t end_of_run(struct sn_freezer *freezer, struct sn_region *region, uint64_t page, uint64_t end)
{
    const unsigned char *from = content(freezer, region, page);
    uint64_t next = page + 1;
    for (; next < end; next++) {
        const unsigned char *there = content(freezer, region, next);
        if (from == NULL ? there != NULL : there != from + (next - page) * SN_PAGE_BYTES)
            break;
    }
    return next;
}

/* Copies bytes of a run that begins with a page, from `skip` bytes into it. */
static void copy_run(struct sn_freezer *freezer, struct sn_region *region, uint64_t page, uint64_t skip,
                     uint64_t bytes, unsigned char *to)
{
    const unsigned char *from = content(freezer, region, page);
    if (from == NULL)
        memset(to, 0, bytes);
    else if (region->foreign != 0 && (region->frozen[page / WORD_PAGES] & sn_bits(page, 1)) != 0)
        sn_foreign_read(region, (uintptr_t)from + skip, bytes, to);
    else
        memcpy(to, from + skip, bytes);
}

/* A page is not wanted any more; whether a slot was returned for it. */
static int drop(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint64_t bit = sn_bits(page, 1), word = page / WORD_PAGES;
    region->frozen[word] &= ~bit;
    if ((region->copied[word] & bit) == 0)
        return 0;
    region->copied[word] &= ~bit;
    return let_go(freezer, region, page);
}

int32_t sn_region_read(struct sn_freezer *freezer, struct sn_region *region, uint64_t from, uint64_t bytes,
                       uint32_t keep, void *target)
{
    uint64_t first = from / SN_PAGE_BYTES, end = (from + bytes + SN_PAGE_BYTES - 1) / SN_PAGE_BYTES;
    uint64_t of_span = sn_extent_first(first, SN_EXTENT_SPAN);
    struct sn_span *span = &region->spans[first / SN_SPAN_PAGES];
    unsigned char *to = target;
    int returned = 0;
    sn_span_lock(span);
    int was_frozen = sn_span_frozen(region, of_span, SN_EXTENT_SPAN);
    for (uint64_t page = first, at = from; page < end;) {
        /* Neighbours in one copy. */
        uint64_t next = end_of_run(freezer, region, page, end);
        uint64_t stop = next == end ? from + bytes : next * SN_PAGE_BYTES;
        copy_run(freezer, region, page, at - page * SN_PAGE_BYTES, stop - at, to);
        to += stop - at;
        at = stop;
        for (; page < next; page++) {
            if (!(page == first && (keep & SN_KEEP_FIRST) != 0) &&
                !(page == end - 1 && (keep & SN_KEEP_LAST) != 0))
                returned |= drop(freezer, region, page);
        }
    }
    /* Whoever waits to write to this span needs no copy when nothing of it is frozen any more. */
    int helps = returned || (was_frozen && !sn_span_frozen(region, of_span, SN_EXTENT_SPAN));
    int32_t error = __atomic_load_n(&region->gone, __ATOMIC_SEQ_CST) != 0 ? ESTALE : 0;
    sn_span_unlock(span);
    sn_slots_changed(&freezer->slots, helps);
    return error;
}

int32_t sn_region_thaw(struct sn_freezer *freezer, struct sn_region *region, uint64_t pages)
{
    for (uint64_t span = 0; span < (pages + SN_SPAN_PAGES - 1) / SN_SPAN_PAGES; span++) {
        sn_span_lock(&region->spans[span]);
        for (uint32_t i = 0; i < SPAN_WORDS; i++) {
            uint64_t word = span * SPAN_WORDS + i;
            /* Written only where something is, so that the rest of the map stays without memory. */
            if (region->frozen[word] != 0)
                region->frozen[word] = 0;
            if (region->copied[word] != 0)
                region->copied[word] = 0;
        }
        sn_span_unlock(&region->spans[span]);
    }
    sn_slots_changed(&freezer->slots, 1);
    return 0;
}
