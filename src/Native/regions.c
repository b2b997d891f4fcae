/*
 * regions.c: which regions there are, and who serves writes to them: threads that read what a userfaultfd
 * tells them, or the writing thread itself, in the handler of its signal (signal.c).
 */
#include "regions.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "span.h"
#include "open.h"
#include "protect.h"

#define OPEN_TRIES 100

/* ---- serving ------------------------------------------------------------------------------------------- */

static uint64_t start_of(const struct sn_region *region)
{
    return region->start + region->first * SN_PAGE_BYTES;
}

static uint64_t bytes_of(const struct sn_region *region)
{
    return (region->end - region->first) * SN_PAGE_BYTES;
}

/* The region of an address, or NULL. The caller counts as inside. */
static struct sn_region *region_of(struct sn_freezer *freezer, uint64_t address)
{
    uint32_t regions = __atomic_load_n(&freezer->region_count, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < regions; i++) {
        struct sn_region *region = __atomic_load_n(&freezer->regions[i], __ATOMIC_SEQ_CST);
        if (region != NULL && address - start_of(region) < bytes_of(region))
            return region;
    }
    return NULL;
}

static void serve(struct sn_freezer *freezer, uint64_t address)
{
    sn_count(&freezer->faults, 1);
    __atomic_add_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
    struct sn_region *found = region_of(freezer, address);
    if (found != NULL)
        sn_serve_write(freezer, found, (address - found->start) / SN_PAGE_BYTES);
    else /* its region was removed while the kernel could not end the registration: nobody tracks it */
        sn_unprotect(freezer, address, SN_PAGE_BYTES);
    __atomic_sub_fetch(&freezer->inside, 1, __ATOMIC_SEQ_CST);
}

/*
 * Whether a page is armed, or was opened since the last collect: then it may have no write access by our
 * doing.
 */
static int is_ours(struct sn_region *region, uint64_t page)
{
    struct sn_span *span = &region->spans[page / SN_SPAN_PAGES];
    uint64_t word = page / WORD_PAGES;
    sn_span_lock(span);
    uint64_t bits = (get64(&region->armed[word]) | get64(&region->written[word])) & sn_bits(page, 1);
    sn_span_unlock(span);
    return bits != 0;
}

/*
 * A collect may arm and protect the page again between any two steps, so each answer is asked for anew. It
 * does not do so OPEN_TRIES times in a row: then the kernel refuses to open the page (ulimit -d counts memory
 * that can be written), and the fault would come for ever.
 */
static int open_at(struct sn_freezer *freezer, struct sn_region *region, uint64_t page)
{
    for (int tried = 0; tried < OPEN_TRIES; tried++) {
        int ours = is_ours(region, page);
        if (ours) {
            sn_count(&freezer->faults, 1);
            sn_serve_write(freezer, region, page);
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
        struct pollfd ready[2] = {{.fd = freezer->uffd, .events = POLLIN},
                                  {.fd = freezer->stop, .events = POLLIN}};
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

/* ---- regions ------------------------------------------------------------------------------------------- */

int32_t sn_region_add(struct sn_freezer *freezer, struct sn_region *region)
{
    uint32_t at = 0, count = freezer->region_count;
    while (at < count && freezer->regions[at] != NULL)
        at++;
    if (at == SN_REGIONS_MAX)
        return ENOSPC;
    int32_t error = 0;
    if (!sn_is_by_signals(freezer))
        error = sn_uffd_register_wp(freezer->uffd, start_of(region), bytes_of(region));
    if (error != 0)
        return error;
    __atomic_store_n(&freezer->regions[at], region, __ATOMIC_SEQ_CST);
    if (at == count)
        __atomic_store_n(&freezer->region_count, count + 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* The kernel does nothing where the first page is not mapped any more: then what is left, span by span. */
static int32_t unregister(const struct sn_freezer *freezer, const struct sn_region *region)
{
    int32_t error = sn_uffd_unregister(freezer->uffd, start_of(region), bytes_of(region));
    if (error == 0 || region->foreign == 0)
        return error;
    for (uint64_t page = region->first; page < region->end;) {
        uint64_t next = sn_extent_first(page, SN_EXTENT_SPAN) + SN_SPAN_PAGES;
        if (next > region->end)
            next = region->end;
        (void)sn_uffd_unregister(freezer->uffd, region->start + page * SN_PAGE_BYTES,
                                 (next - page) * SN_PAGE_BYTES);
        page = next;
    }
    return 0;
}

int32_t sn_region_remove(struct sn_freezer *freezer, struct sn_region *region)
{
    /* First the registration: it wakes whoever waits, and nobody waits any more after it. */
    int32_t error = sn_is_by_signals(freezer) ? sn_region_disarm(freezer, region, 0, region->pages)
                                              : unregister(freezer, region);
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
