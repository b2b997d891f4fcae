/*
 * fill.c: pages of an image that are fetched when they are touched, and streamed in behind.
 *
 * Why this is not C#. A thread that touches a page which is not there sleeps in the kernel in the middle of
 * managed code, where the garbage collector cannot take it for stopped. Should the thread that is to fetch
 * the page run any managed code, a collection could stop that one first and then wait for the other: for
 * ever. So everything from the fault to the page is here, and the C# part only starts and ends it. All memory
 * it needs was given to it or is taken before it serves anything.
 *
 * A block is in one of four states, and one thread at a time has it BUSY. Of its pages those are installed
 * whose bit in `wanted` is set. A bit is cleared when the application gives the page up: first the bit, then
 * a look at the state, and if it is BUSY a wait. The thread that has it BUSY reads the bits after it set the
 * state. So one of the two sees the other, and no page is installed after it was given up.
 *
 * Whoever waits for a page is woken by its installation. Where that does not come, since the page is there,
 * was given up, or cannot be had, it is woken to look again, and its next fault finds out.
 */
#include "fill.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "decode.h"
#include "invariant.h"

_Static_assert(WINDOW_BYTES + 2 * BLOCK_BYTES <= ROOM_BYTES, "a room has its window and two blocks");

int32_t sn_room_open(struct room *room)
{
    /*
     * In huge pages, where there are any: a direct read into small ones has a segment for each, and half the
     * speed.
     */
    uint64_t base;
    int32_t error = sn_memory_reserve_anywhere(ROOM_BYTES, &base);
    if (error != 0)
        return error;
    error = sn_memory_commit(base, ROOM_BYTES);
    if (error != 0) {
        sn_memory_release(base, ROOM_BYTES);
        return error;
    }
    *room = (struct room){.window = (unsigned char *)(uintptr_t)base};
    room->decoded = room->window + WINDOW_BYTES;
    room->between = room->decoded + BLOCK_BYTES;
    return 0;
}

void sn_room_close(struct room *room)
{
    sn_memory_release((uint64_t)(uintptr_t)room->window, ROOM_BYTES);
}

/* ---- what goes wrong ----------------------------------------------------------------------------------- */

/* The first failure is the one that is told. */
static void note_failure(struct sn_fill *fill, const struct sn_fill_block *block, uint32_t kind,
                         int32_t error)
{
    uint32_t none = 0;
    /* 2: being written; nobody reads the fields before it is 1. */
    if (!__atomic_compare_exchange_n(&fill->failed, &none, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    set(&fill->failed_block, (uint32_t)(block - fill->blocks));
    set(&fill->failed_kind, kind);
    fill->failed_error = error;
    set(&fill->failed, 1);
    wake_all(&fill->remaining);
}

/* ---- installing ---------------------------------------------------------------------------------------- */

/* Installs pages where none are. What is there stays; what is not mapped any more does not matter. */
static int32_t install(struct sn_fill *fill, uint64_t target, uint64_t source, uint64_t bytes)
{
    if (fill->uffd < 0) {
        memcpy((void *)(uintptr_t)target, (const void *)(uintptr_t)source, bytes);
        return 0;
    }
    while (bytes > 0) {
        uint64_t copied = 0;
        int32_t error = sn_uffd_copy(fill->uffd, target, source, bytes, &copied);
        if (error == ENOENT && bytes - copied > SN_PAGE_BYTES) {
            /* It crosses from one mapping to another, as after a change of protection: page by page, then. */
            uint64_t one = 0;
            error = sn_uffd_copy(fill->uffd, target + copied, source + copied, SN_PAGE_BYTES, &one);
            copied += one;
        }
        if (error != 0 && copied < bytes) {
            if (error != EEXIST && error != ENOENT && error != ESRCH)
                return error;
            sn_uffd_wake(fill->uffd, target + copied, SN_PAGE_BYTES);
            copied += SN_PAGE_BYTES;
        }
        target += copied;
        source += copied;
        bytes -= copied;
    }
    return 0;
}

/*
 * Installs the wanted pages of a block that is BUSY; hashes first, so that whoever finds a page finds its
 * hash. They are those of all pages of the block, or NULL where they are not known yet.
 */
static int32_t install_block(struct sn_fill *fill, struct sn_fill_block *block, const unsigned char *pages,
                             const uint64_t *hashes)
{
    uint64_t wanted = wanted_of(block);
    for (uint32_t r = block->run; r < fill->run_count; r++) {
        const struct sn_fill_run *run = &fill->runs[r];
        if (run->image != block->image || run->ordinal >= block->ordinal + block->pages)
            break;
        uint64_t from = run->ordinal > block->ordinal ? run->ordinal - block->ordinal : 0;
        uint64_t to = run->ordinal + run->pages - block->ordinal;
        if (to > block->pages)
            to = block->pages;
        for (uint64_t page = from; page < to;) {
            if ((wanted >> page & 1) == 0) {
                page++;
                continue;
            }
            uint64_t end = page;
            for (; end < to && (wanted >> end & 1) != 0; end++) {
                uint64_t *hash =
                    (uint64_t *)(uintptr_t)(run->hashes + 16 * (block->ordinal + end - run->ordinal));
                if (hashes != NULL)
                    memcpy(hash, hashes + 2 * end, 16);
                else
                    sn_page_hash(pages + end * SN_PAGE_BYTES, hash);
            }
            uint64_t target = run->address + (block->ordinal + page - run->ordinal) * SN_PAGE_BYTES;
            int32_t error = install(fill, target, (uint64_t)(uintptr_t)pages + page * SN_PAGE_BYTES,
                                    (end - page) * SN_PAGE_BYTES);
            if (error != 0)
                return error;
            page = end;
        }
    }
    __atomic_fetch_add(&fill->pages, (uint64_t)__builtin_popcountll(wanted), __ATOMIC_SEQ_CST);
    return 0;
}

/* Lets whoever waits for a page of the block look again. */
static void wake_block(struct sn_fill *fill, const struct sn_fill_block *block)
{
    for (uint32_t r = block->run; r < fill->run_count; r++) {
        const struct sn_fill_run *run = &fill->runs[r];
        if (run->image != block->image || run->ordinal >= block->ordinal + block->pages)
            break;
        uint64_t from = run->ordinal > block->ordinal ? run->ordinal : block->ordinal;
        uint64_t to = run->ordinal + run->pages;
        if (to > block->ordinal + block->pages)
            to = block->ordinal + block->pages;
        sn_uffd_wake(fill->uffd, run->address + (from - run->ordinal) * SN_PAGE_BYTES,
                     (to - from) * SN_PAGE_BYTES);
    }
}

/* ---- fetching ------------------------------------------------------------------------------------------ */

int sn_block_claim(struct sn_fill_block *block)
{
    uint32_t idle = SN_FILL_IDLE;
    return __atomic_compare_exchange_n(&block->state, &idle, SN_FILL_BUSY, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static void finish(struct sn_fill *fill, struct sn_fill_block *block, uint32_t state)
{
    uint32_t before = __atomic_exchange_n(&block->state, state, __ATOMIC_SEQ_CST);
    /*
     * Else another thread is at it, too, and may install pages that the application has given up meanwhile.
     */
    SN_INVARIANT(before == SN_FILL_BUSY, "whoever ends the fetching of a block has claimed it");
    wake_all(&block->state);
    if (state == SN_FILL_DONE) {
        uint32_t left = __atomic_fetch_sub(&fill->remaining, 1, __ATOMIC_SEQ_CST);
        /* Else the fill would count as complete while blocks are missing, or never. */
        SN_INVARIANT(left != 0, "no more blocks are done than there are");
        if (left == 1)
            wake_all(&fill->remaining);
    }
    if (state == SN_FILL_FAILED)
        wake_block(fill, block);
}

/* Reads all of it; -1: errno, or 0 when the file ends before. */
static int read_all(int fd, unsigned char *target, uint64_t bytes, uint64_t offset, int32_t *error)
{
    /* Else what lies behind the room would be written over. */
    SN_INVARIANT(bytes <= WINDOW_BYTES, "what is read fits the room");
    while (bytes > 0) {
        ssize_t got = pread(fd, target, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *error = got < 0 ? errno : 0;
            return -1;
        }
        target += got;
        offset += (uint64_t)got;
        bytes -= (uint64_t)got;
    }
    return 0;
}

int32_t sn_block_decode(const void *source, uint64_t stored, uint32_t encoding, uint32_t element,
                        void *target, void *between, uint64_t bytes)
{
    unsigned char *decoded = encoding >= 2 ? between : target;
    if (sn_lz4_decode(source, stored, decoded, bytes) != (int64_t)bytes)
        return EILSEQ;
    if (encoding >= 2)
        sn_unshuffle(between, target, bytes, element);
    if (encoding == 3)
        sn_undo_difference(target, bytes, element);
    return 0;
}

int32_t sn_block_checksum(const void *bytes, uint64_t length, uint64_t *checksum)
{
    *checksum = sn_checksum(bytes, length);
    return 0;
}

int32_t sn_block_page_hash(const void *page, uint64_t *hash)
{
    sn_page_hash(page, hash);
    return 0;
}

/* Verifies, decodes and installs a BUSY block whose stored bytes were read, and ends its being BUSY. */
static int complete(struct sn_fill *fill, struct sn_fill_block *block, struct room *room,
                    unsigned char *stored)
{
    const unsigned char *pages = stored;
    uint64_t hashes[2 * IMAGE_BLOCK_PAGES];
    int by_page = block->encoding == PLAIN_BY_PAGE;
    uint32_t kind = 0;
    int32_t error = 0;
    uint64_t checksum =
        by_page ? sn_pages_checksum(stored, block->pages, hashes) : sn_checksum(stored, padded(block));
    if (checksum != block->checksum) {
        kind = SN_FILL_CHECKSUM;
    } else if (block->encoding != PLAIN && !by_page) {
        if (sn_block_decode(stored, block->stored, block->encoding, block->element, room->decoded,
                            room->between, block->pages * SN_PAGE_BYTES) != 0)
            kind = SN_FILL_DECODE;
        pages = room->decoded;
    }
    if (kind == 0) {
        error = install_block(fill, block, pages, by_page ? hashes : NULL);
        kind = error != 0 ? SN_FILL_INSTALL : 0;
    }
    if (kind != 0)
        note_failure(fill, block, kind, error);
    finish(fill, block, kind == 0 ? SN_FILL_DONE : SN_FILL_FAILED);
    return kind == 0;
}

int sn_block_fetch(struct sn_fill *fill, struct sn_fill_block *block, struct room *room)
{
    if (wanted_of(block) == 0) {
        finish(fill, block, SN_FILL_DONE);
        return 1;
    }
    int32_t error = 0;
    if (read_all(fill->images[block->image].fd, room->window, padded(block), block->offset, &error) != 0) {
        note_failure(fill, block, SN_FILL_READ, error);
        finish(fill, block, SN_FILL_FAILED);
        return 0;
    }
    return complete(fill, block, room, room->window);
}

void sn_block_fetch_all(struct sn_fill *fill, struct sn_fill_block **blocks, uint32_t count,
                        struct room *room)
{
    uint64_t first = blocks[0]->offset;
    uint64_t bytes = blocks[count - 1]->offset + padded(blocks[count - 1]) - first;
    int32_t error = 0;
    if (count == 1 || read_all(fill->images[blocks[0]->image].fd, room->window, bytes, first, &error) != 0) {
        /* One alone, or some of it cannot be read: each for itself, so that it is known which. */
        for (uint32_t i = 0; i < count; i++)
            sn_block_fetch(fill, blocks[i], room);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        complete(fill, blocks[i], room, room->window + (blocks[i]->offset - first));
}

/* ---- finding ------------------------------------------------------------------------------------------- */

uint32_t sn_run_after(const struct sn_fill *fill, uint64_t address)
{
    uint32_t low = 0, high = fill->run_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sn_fill_run *run = &fill->runs[fill->by_address[middle]];
        if (run->address + run->pages * SN_PAGE_BYTES > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* All blocks of a run are there, one after the other. */
struct sn_fill_block *sn_block_of(const struct sn_fill *fill, const struct sn_fill_run *run, uint64_t ordinal)
{
    uint32_t low = run->block;
    uint32_t high = run->pages < fill->block_count - low ? low + run->pages : fill->block_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        const struct sn_fill_block *block = &fill->blocks[middle];
        if (block->image == run->image && block->ordinal <= ordinal)
            low = middle;
        else
            high = middle - 1;
    }
    return &fill->blocks[low];
}

/* ---- what the C# part asks for ------------------------------------------------------------------------- */

/*
 * Calls `visit` for each block with pages in a range, with the bits of those pages; ends with its first
 * error.
 */
static int32_t for_each_block(struct sn_fill *fill, uint64_t base, uint64_t bytes, struct room *room,
                              int32_t (*visit)(struct sn_fill *, struct sn_fill_block *, uint64_t,
                                               struct room *))
{
    for (uint32_t place = sn_run_after(fill, base); place < fill->run_count; place++) {
        const struct sn_fill_run *run = &fill->runs[fill->by_address[place]];
        if (run->address >= base + bytes)
            break;
        uint64_t from = base > run->address ? (base - run->address) / SN_PAGE_BYTES : 0;
        uint64_t to = (base + bytes - run->address) / SN_PAGE_BYTES;
        if (to > run->pages)
            to = run->pages;
        for (uint64_t page = from; page < to;) {
            struct sn_fill_block *block = sn_block_of(fill, run, run->ordinal + page);
            uint64_t first = run->ordinal + page - block->ordinal;
            uint64_t count = block->pages - first;
            if (count > to - page)
                count = to - page;
            uint64_t bits = (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << first;
            int32_t error = visit(fill, block, bits, room);
            if (error != 0)
                return error;
            page += count;
        }
    }
    return 0;
}

static int32_t fetch_visited(struct sn_fill *fill, struct sn_fill_block *block, uint64_t bits,
                             struct room *room)
{
    while ((wanted_of(block) & bits) != 0) {
        uint32_t state = get(&block->state);
        if (state == SN_FILL_DONE)
            return 0;
        if (state == SN_FILL_FAILED)
            return EIO;
        if (state == SN_FILL_IDLE && sn_block_claim(block) && !sn_block_fetch(fill, block, room))
            return EIO;
        if (state == SN_FILL_BUSY)
            wait_while(&block->state, SN_FILL_BUSY);
    }
    return 0;
}

static int32_t forget_visited(struct sn_fill *fill, struct sn_fill_block *block, uint64_t bits,
                              struct room *room)
{
    (void)fill;
    (void)room;
    __atomic_fetch_and(&block->wanted, ~bits, __ATOMIC_SEQ_CST);
    while (get(&block->state) == SN_FILL_BUSY)
        wait_while(&block->state, SN_FILL_BUSY);
    return 0;
}

int32_t sn_fill_fetch(struct sn_fill *fill, uint64_t base, uint64_t bytes)
{
    struct room room;
    int32_t error = sn_room_open(&room);
    if (error != 0)
        return error;
    error = for_each_block(fill, base, bytes, &room, fetch_visited);
    sn_room_close(&room);
    return error;
}

int32_t sn_fill_close(struct sn_fill *fill)
{
    set(&fill->closed, 1);
    for (;;) {
        uint32_t fetching = get(&fill->urgent);
        if (fetching == 0)
            return 0;
        wait_while(&fill->urgent, fetching);
    }
}

int32_t sn_fill_forget(struct sn_fill *fill, uint64_t base, uint64_t bytes)
{
    return for_each_block(fill, base, bytes, NULL, forget_visited);
}

int32_t sn_event_open(int32_t *fd)
{
    int opened = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (opened < 0)
        return errno;
    *fd = opened;
    return 0;
}

int32_t sn_event_signal(int32_t fd)
{
    return eventfd_write(fd, 1) == 0 ? 0 : errno;
}
