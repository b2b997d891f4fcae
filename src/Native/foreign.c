/*
 * foreign.c: frozen memory of the program. It should ask for it back before it frees, drops, moves or
 * replaces it (sn_region_secure, then sn_region_remove), and what it asks for is copied first. It may not
 * ask. Then nothing may crash, and no image may have what came in its place.
 *
 * Nothing crashes: frozen pages are read by a system call, which fails where nothing can be read.
 *
 * Nothing wrong is taken for right, as in a seqlock: first the bytes are read, then it is asked whether each
 * page of them is present, or swapped out, and write-protected by userfaultfd. That proves that they are as
 * they were frozen:
 *   1. Each page was protected when it was frozen, with its content of that moment.
 *   2. Memory loses that protection when it is dropped, freed, replaced or moved, or was without it: what
 *      comes in its place has page-table entries of its own, which begin unprotected. This is also so for
 *      memory that is moved here from another place where it was protected (Linux 6.13, mremap); a probe
 *      tries all of these, and where one fails nothing foreign is frozen.
 *   3. Nobody protects pages of the region while any is frozen: collects do, and none comes before the drain
 *      has ended. A place is watched by one region of the process at a time.
 *   4. A server lets writes through, and the region is removed, only after what is frozen was copied away,
 *      under the span's lock, which whoever reads holds.
 * So a page that is protected when it is asked was so all the time since it was frozen, and nothing wrote it
 * before that moment, hence not before its bytes were read. What is written by a device that pinned a page
 * before is not seen by this either.
 *
 * What cannot be proved is lost, and the region says so (`gone`) to every later read, also where a server
 * wanted to copy it: the flag is set under the lock of the page's span before the page stops being frozen.
 *
 * Between captures the same question tells a collect which armed pages lost their protection. What came in
 * their place is not registered here any more, and stays so: it may be memory that a server itself writes,
 * and a server that waits for itself would hang. Where such memory is to be armed the kernel refuses
 * (ENOENT), and the caller finds another way.
 */
#include "foreign.h"

#define PROTECTED_RUNS 2u /* one is expected */

int32_t sn_foreign_protected(const struct sn_region *region, uint64_t start, uint64_t end,
                             struct sn_page_region *runs, uint64_t capacity, uint64_t *count,
                             uint64_t *walked)
{
    return sn_pagemap_scan(region->pagemap, start, end, 0, SN_PAGE_WRITTEN, SN_PAGE_PRESENT | SN_PAGE_SWAPPED,
                           0, runs, capacity, count, walked);
}

static int is_as_frozen(const struct sn_region *region, uint64_t address, uint64_t bytes)
{
    struct sn_page_region found[PROTECTED_RUNS];
    uint64_t first = address & ~(SN_PAGE_BYTES - 1), count = 0, walked = 0;
    uint64_t end = (address + bytes + SN_PAGE_BYTES - 1) & ~(SN_PAGE_BYTES - 1);
    int32_t error = sn_foreign_protected(region, first, end, found, PROTECTED_RUNS, &count, &walked);
    return error == 0 && count == 1 && found[0].start == first && found[0].end == end;
}

int sn_foreign_read(struct sn_region *region, uint64_t address, uint64_t bytes, void *target)
{
    int32_t error = sn_memory_read(address, bytes, target);
    /* Every byte was loaded before the page tables are looked at. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (error == 0 && is_as_frozen(region, address, bytes))
        return 1;
    sn_foreign_lose(region, address);
    return 0;
}

void sn_foreign_lose(struct sn_region *region, uint64_t address)
{
    __atomic_store_n(&region->gone, address, __ATOMIC_SEQ_CST);
}
