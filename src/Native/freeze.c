/*
 * freeze.c: capture without copying. Pages are armed (write-protected) and frozen (their content is wanted as
 * it is); what the application writes first is copied first (open.c), what the drain reads first (deliver.c)
 * is never copied.
 *
 * Why this is not C#. A thread that writes an armed page sleeps in the kernel in the middle of managed code
 * until the page is opened, and a garbage collection waits for it. So whatever it waits for must not be
 * managed code, which the collection has stopped: the threads that open pages are here, and so is everything
 * that holds a span's lock. One wait remains: for a slot when none is free, since slots become free by the
 * drain, which is managed. It is bounded: when nothing moves for a while, the write gets slots beyond the
 * limit, and opens 16 pages instead of the span (open.c). So is the wait for a slot that has memory, by what
 * it costs to get fresh memory (slots.c).
 *
 * The four bits of a page
 *   armed    its page-table entry is write-protected, or it has none (it was discarded and that is not known
 *            here yet). Set by the collect before it protects, cleared by whoever opens it before it is
 *            unprotected.
 *   written  it was armed, and opened since the last collect. Set before it is unprotected.
 *   frozen   its content is wanted and still in place. Only together with armed.
 *   copied   its content is wanted and in the slot that `slots` names.
 * Neither armed nor written: it was never armed, or was discarded. It is written without anybody's knowing;
 * the next collect finds it if it has memory then. All four are changed under the span's lock alone.
 * `written` and `armed` are also read without it, where to be late does not matter.
 *
 * No write is lost. A store to an armed page faults; the page becomes writable only after `written` was set,
 * so the next collect reports it. A collect takes `written` and sets armed, lets go of the lock, and then
 * protects many spans by one call. A server that comes between finds the page armed, opens it, that is sets
 * `written` again and unprotects; whichever of the two ioctls comes last, the bits say "written", which at
 * worst makes the page be reported once more.
 *
 * An early collect does the same beside writers, just before the pause, so that the pause has to protect only
 * what is written after that. What it reported and is written again is reported again.
 *
 * No image holds a later content. Pages are frozen while nobody writes, under their span's lock: one that is
 * armed then cannot be written before it was copied, since whoever opens a page holds that lock, copies what
 * is frozen of it, and unprotects it before the lock is released. One that somebody has opened meanwhile (a
 * thread that does not take part; a span opened ahead) is copied at once. One that is neither has no memory:
 * it reads as zero, and is not frozen, and is delivered as zero whatever is written to it later. Whoever
 * discards memory secures it before (sn_region_secure).
 *
 * Memory of the program may go without its asking: foreign.c has what holds then. Its collects ask for the
 * pages that are armed and not protected any more: they have changed, and are armed like others that are not.
 *
 * Pages that are open for devices are written without a fault. They are opened before they are pinned, and
 * every later collect leaves them written: they are copied at once, never frozen.
 */
#include "span.h"

#include <errno.h>
#include <string.h>

#include "foreign.h"
#include "invariant.h"
#include "protect.h"
#include "slots.h"

static uint64_t spans_of(uint64_t pages)
{
    return (pages + SN_SPAN_PAGES - 1) / SN_SPAN_PAGES;
}

/* ---- collecting ---------------------------------------------------------------------------------------- */

/* A run of pages that grows until it ends, and is protected as a whole then: a call for each run. */
struct arming {
    struct sn_freezer *freezer;
    struct sn_region *region;
    int32_t pagemap;
    int32_t how;
    const uint64_t *open; /* pages that are not armed, or NULL */
    uint64_t *changed;
    uint64_t first;
    uint64_t end;
};

static uint64_t stay_open(const struct arming *run, uint64_t word)
{
    return run->open == NULL ? 0 : run->open[word];
}

/* Pages of a word are changed. */
static void add_changed(struct arming *run, uint64_t word, uint64_t bits)
{
    struct sn_region *region = run->region;
    uint64_t span = word / SPAN_WORDS;
    run->changed[word] |= bits;
    if (region->changed_first > span)
        region->changed_first = span;
    if (region->changed_end <= span)
        region->changed_end = span + 1;
}

static int32_t protect(struct arming *run)
{
    if (run->first == run->end)
        return 0;
    uint64_t address = run->region->start + run->first * SN_PAGE_BYTES;
    uint64_t bytes = (run->end - run->first) * SN_PAGE_BYTES;
    run->first = run->end;
    return sn_protect(run->freezer, address, bytes, 1);
}

/* Adds pages of one word, which is armed already, to what is to be protected; in ascending order. */
static int32_t extend(struct arming *run, uint64_t word, uint64_t bits)
{
    while (bits != 0) {
        unsigned from = (unsigned)__builtin_ctzll(bits);
        uint64_t above = ~(bits >> from);
        unsigned count = above == 0 ? WORD_PAGES - from : (unsigned)__builtin_ctzll(above);
        uint64_t first = word * WORD_PAGES + from;
        if (first != run->end) {
            int32_t error = protect(run);
            if (error != 0)
                return error;
            run->first = run->end = first;
        }
        run->end += count;
        bits &= ~sn_bits(first, count);
    }
    return 0;
}

/* Takes what was written of a span, and arms it. The span is locked. */
static void take_written(struct arming *run, uint64_t index, uint64_t *taken)
{
    struct sn_region *region = run->region;
    uint64_t left = 0;
    for (uint64_t word = index * SPAN_WORDS; word < (index + 1) * SPAN_WORDS; word++) {
        uint64_t bits = get64(&region->written[word]), open = bits & stay_open(run, word);
        *taken++ = bits & ~open;
        if (bits == 0)
            continue;
        set64(&region->written[word], open);
        set64(&region->armed[word], get64(&region->armed[word]) | (bits & ~open));
        add_changed(run, word, bits);
        left |= open;
    }
    __atomic_store_n(&region->spans[index].opened, left != 0, __ATOMIC_RELAXED);
}

/*
 * Only a span that was opened has pages that were written, and few are left to look at after an early
 * collect.
 */
static int32_t arm_written(struct arming *run, uint64_t spans)
{
    struct sn_region *region = run->region;
    for (uint64_t span = 0; span < spans; span++) {
        uint64_t taken[SPAN_WORDS];
        if (__atomic_load_n(&region->spans[span].opened, __ATOMIC_RELAXED) == 0)
            continue;
        sn_span_lock(&region->spans[span]);
        take_written(run, span, taken);
        sn_span_unlock(&region->spans[span]);
        for (uint32_t i = 0; i < SPAN_WORDS; i++) {
            int32_t error = extend(run, span * SPAN_WORDS + i, taken[i]);
            if (error != 0)
                return error;
        }
    }
    return protect(run);
}

/*
 * The order of first writes is that of the interval that ends. An early collect leaves it: the interval goes
 * on, and a sweep that is on its way is still opened ahead. Without locks, for nothing but speed depends on
 * it.
 */
static void end_interval(struct sn_region *region, uint64_t spans)
{
    __atomic_store_n(&region->opened, 0, __ATOMIC_RELAXED);
    for (uint64_t index = 0; index < spans; index++) {
        struct sn_span *span = &region->spans[index];
        uint32_t order = __atomic_load_n(&span->order, __ATOMIC_RELAXED);
        if (order == 0)
            continue;
        region->orders[index] = order;
        __atomic_store_n(&span->order, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&span->ahead, 0, __ATOMIC_RELAXED);
    }
}

/* Arms pages of one word, or notes them as written where they stay open. */
static int32_t arm(struct arming *run, uint64_t word, uint64_t bits)
{
    struct sn_region *region = run->region;
    struct sn_span *span = &region->spans[word / SPAN_WORDS];
    uint64_t open = bits & stay_open(run, word);
    sn_span_lock(span);
    set64(&region->armed[word], get64(&region->armed[word]) | (bits & ~open));
    set64(&region->written[word], get64(&region->written[word]) | open);
    __atomic_store_n(&span->opened, span->opened | (open != 0), __ATOMIC_RELAXED);
    sn_span_unlock(span);
    add_changed(run, word, bits);
    return extend(run, word, bits & ~open);
}

/* Arms the pages of a range of the region. */
static int32_t arm_all(struct arming *run, uint64_t first, uint64_t end)
{
    int32_t error = 0;
    for (uint64_t page = first; error == 0 && page < end;) {
        uint64_t part = sn_in_word(page, end);
        error = arm(run, page / WORD_PAGES, sn_bits(page, part));
        page += part;
    }
    return error;
}

/* Arms the pages of a range of the region that have memory. */
static int32_t arm_populated(struct arming *run, uint64_t first, uint64_t end)
{
    if (run->pagemap < 0) {
        int32_t failed = arm_all(run, first, end);
        return failed != 0 ? failed : protect(run);
    }
    struct sn_page_region found[128];
    uint64_t origin = run->region->start;
    uint64_t at = origin + first * SN_PAGE_BYTES, stop = origin + end * SN_PAGE_BYTES;
    while (at < stop) {
        uint64_t count = 0, walked = 0;
        int32_t error = sn_pagemap_scan(run->pagemap, at, stop, 0, 0, SN_PAGE_PRESENT | SN_PAGE_SWAPPED,
                                        run->how & SN_SCAN_ENTRIES, found, sizeof found / sizeof found[0],
                                        &count, &walked);
        if (error == 0 && walked <= at)
            error = EIO;
        for (uint64_t i = 0; error == 0 && i < count; i++) {
            uint64_t page = (found[i].start - origin) / SN_PAGE_BYTES;
            error = arm_all(run, page, (found[i].end - origin) / SN_PAGE_BYTES);
        }
        if (error != 0)
            return error;
        at = walked;
    }
    return protect(run);
}

/* The first of the pages [page, pages) that is not armed. */
static uint64_t next_open(const struct sn_region *region, uint64_t page, uint64_t pages)
{
    while (page < pages) {
        if (page % SN_SPAN_PAGES == 0 && region->spans[page / SN_SPAN_PAGES].whole != 0) {
            page += SN_SPAN_PAGES;
            continue;
        }
        uint64_t open = ~get64(&region->armed[page / WORD_PAGES]) >> page % WORD_PAGES;
        if (open != 0)
            return page + (uint64_t)__builtin_ctzll(open);
        page = (page / WORD_PAGES + 1) * WORD_PAGES;
    }
    return pages;
}

/* Where a run of pages that are not armed ends. */
static uint64_t end_of_open(const struct sn_region *region, uint64_t page, uint64_t pages)
{
    while (page < pages) {
        uint64_t shut = get64(&region->armed[page / WORD_PAGES]) >> page % WORD_PAGES;
        if (shut != 0)
            return page + (uint64_t)__builtin_ctzll(shut);
        page = (page / WORD_PAGES + 1) * WORD_PAGES;
    }
    return pages;
}

/*
 * Spans without a hole are passed over by one look. One that was opened since it was armed is among them:
 * its pages are written, and arm_written has them.
 */
static void note_whole(struct sn_region *region, uint64_t index)
{
    struct sn_span *span = &region->spans[index];
    if (span->whole != 0)
        return;
    uint64_t all = ~UINT64_C(0);
    sn_span_lock(span);
    for (uint64_t word = index * SPAN_WORDS; word < (index + 1) * SPAN_WORDS; word++)
        all &= get64(&region->armed[word]) | get64(&region->written[word]);
    span->whole = all == ~UINT64_C(0);
    sn_span_unlock(span);
}

static int32_t arm_open(struct arming *run, uint64_t pages)
{
    struct sn_region *region = run->region;
    for (uint64_t first = next_open(region, region->first, pages); first < pages;) {
        uint64_t end = end_of_open(region, first, pages);
        int32_t error = arm_populated(run, first, end < pages ? end : pages);
        if (error != 0)
            return error;
        first = next_open(region, end, pages);
    }
    return 0;
}

/*
 * Pages that are not protected any more have changed where they are armed, and are armed no longer. So have
 * those that a server has opened since arm_written: they may have gone before, and have no memory to be found
 * by.
 */
static void take_lost(struct arming *run, uint64_t first, uint64_t end)
{
    struct sn_region *region = run->region;
    for (uint64_t page = first; page < end;) {
        uint64_t part = sn_in_word(page, end), word = page / WORD_PAGES;
        uint64_t ours = get64(&region->armed[word]) | get64(&region->written[word]);
        uint64_t lost = ours & sn_bits(page, part);
        if (lost != 0) {
            add_changed(run, word, lost);
            sn_region_disarm(run->freezer, region, page, part);
        }
        page += part;
    }
}

/* Looks for them in a foreign region. */
static int32_t find_lost(struct arming *run)
{
    struct sn_region *region = run->region;
    uint64_t page = region->first, end = region->start + region->end * SN_PAGE_BYTES;
    for (uint64_t at = region->start + page * SN_PAGE_BYTES; at < end;) {
        struct sn_page_region kept[128];
        uint64_t count = 0, walked = 0;
        int32_t error =
            sn_foreign_protected(region, at, end, kept, sizeof kept / sizeof kept[0], &count, &walked);
        if (error != 0 || walked <= at)
            return error != 0 ? error : EIO;
        for (uint64_t i = 0; i < count; i++) {
            take_lost(run, page, (kept[i].start - region->start) / SN_PAGE_BYTES);
            page = (kept[i].end - region->start) / SN_PAGE_BYTES;
        }
        at = walked;
        take_lost(run, page, (at - region->start) / SN_PAGE_BYTES);
        page = (at - region->start) / SN_PAGE_BYTES;
    }
    return 0;
}

int32_t sn_region_collect(struct sn_freezer *freezer, struct sn_region *region, int32_t pagemap, int32_t how,
                          uint64_t pages, const uint64_t *open, uint64_t *changed)
{
    struct arming run = {freezer, region, pagemap, how, open, changed, 0, 0};
    if ((how & SN_COLLECT_EARLY) == 0)
        end_interval(region, spans_of(pages));
    __atomic_store_n(&region->collected, pages, __ATOMIC_RELAXED);
    region->changed_first = UINT64_MAX;
    region->changed_end = 0;
    if (__atomic_exchange_n(&region->lost, 0, __ATOMIC_SEQ_CST) != 0)
        sn_region_disarm(freezer, region, 0, region->pages);
    int32_t error = arm_written(&run, spans_of(pages));
    run.first = run.end = 0;
    if (error == 0 && region->foreign != 0)
        error = find_lost(&run);
    if (error == 0)
        error = arm_open(&run, pages);
    for (uint64_t span = region->changed_first; error == 0 && span < region->changed_end; span++)
        note_whole(region, span);
    if (error != 0)
        sn_region_disarm(freezer, region, 0, region->pages);
    return error;
}

int32_t sn_region_disarm(struct sn_freezer *freezer, struct sn_region *region, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count;) {
        uint64_t part = sn_in_word(page, first + count);
        uint64_t bits = sn_bits(page, part), word = page / WORD_PAGES;
        struct sn_span *span = &region->spans[page / SN_SPAN_PAGES];
        sn_span_lock(span);
        if (sn_is_by_signals(freezer))
            sn_open_bits(freezer, region, word,
                         bits & (get64(&region->armed[word]) | get64(&region->written[word])));
        set64(&region->armed[word], get64(&region->armed[word]) & ~bits);
        set64(&region->written[word], get64(&region->written[word]) & ~bits);
        span->whole = 0;
        sn_span_unlock(span);
        page += part;
    }
    return 0;
}

/* ---- freezing ------------------------------------------------------------------------------------------ */

/*
 * Copies one page that is not armed any more. There is a slot for it: nobody else takes any inside the pause.
 */
static int32_t copy_now(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    uint32_t extent = SN_EXTENT_PAGE;
    uint32_t slot = sn_slots_take(&freezer->slots, extent);
    if (slot == NO_SLOT) {
        extent = SN_EXTENT_16;
        slot = sn_slots_take_needed(&freezer->slots);
        if (slot == NO_SLOT)
            return ENOSPC;
        slot += (uint32_t)(page % sn_extent_pages(SN_EXTENT_16));
    }
    unsigned char *from = sn_page_at(region, page), *to = sn_slot_at(&freezer->slots, slot);
    if (region->foreign == 0)
        memcpy(to, from, SN_PAGE_BYTES);
    else if (sn_memory_read((uintptr_t)from, SN_PAGE_BYTES, to) != 0)
        sn_foreign_lose(region, (uintptr_t)from);
    region->slots[page] = sn_entry(slot, extent);
    region->copied[page / WORD_PAGES] |= sn_bits(page, 1);
    return 0;
}

static int32_t freeze_word(struct sn_freezer *freezer, struct sn_region *region, uint64_t word,
                           uint64_t wanted)
{
    uint64_t armed = get64(&region->armed[word]);
    region->frozen[word] = wanted & armed;
    for (uint64_t open = wanted & ~armed & get64(&region->written[word]); open != 0; open &= open - 1) {
        int32_t error = copy_now(freezer, region, word * WORD_PAGES + (uint64_t)__builtin_ctzll(open));
        if (error != 0)
            return error;
    }
    uint64_t frozen = region->frozen[word], copied = region->copied[word];
    /* Else a read would deliver one, and leave the slot of the other taken. */
    SN_INVARIANT((frozen & copied & wanted) == 0, "a page is frozen or copied, never both");
    /* Else it would be delivered as zero, though it has a content, or with that of an older capture. */
    SN_INVARIANT(((frozen | copied) & wanted) == (wanted & (armed | get64(&region->written[word]))),
                 "after the hold every wanted page with memory has one place");
    return 0;
}

int32_t sn_region_freeze(struct sn_freezer *freezer, struct sn_region *region, uint64_t pages,
                         const uint64_t *wanted)
{
    region->gone = 0;
    for (uint64_t span = 0; span < spans_of(pages); span++) {
        const uint64_t *words = &wanted[span * SPAN_WORDS];
        uint64_t any = 0;
        for (uint32_t i = 0; i < SPAN_WORDS; i++)
            any |= words[i];
        if (any == 0)
            continue;
        int32_t error = 0;
        sn_span_lock(&region->spans[span]);
        for (uint32_t i = 0; error == 0 && i < SPAN_WORDS; i++)
            error = words[i] == 0 ? 0 : freeze_word(freezer, region, span * SPAN_WORDS + i, words[i]);
        sn_span_unlock(&region->spans[span]);
        if (error != 0)
            return error;
    }
    return 0;
}
