/*
 * serve.c: the threads of a fill: those that answer faults, and those that stream in what nobody has touched
 * yet. Why they are here and not in C# is said in fill.c.
 */
#include "fill.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZEROS_LEAST (16 * SN_PAGE_BYTES)

/* Never written. */
static unsigned char zeros[BLOCK_BYTES] __attribute__((aligned(4096)));

/* The words of the C# part (ImageErrors, StoreErrors), for there is no way to it from here. */
static void die(struct sn_fill *fill)
{
    while (get(&fill->failed) != 1)
        continue; /* it is being written */
    const struct sn_fill_block *block = &fill->blocks[get(&fill->failed_block)];
    const char *name = fill->images[block->image].name;
    char text[4096];
    int length =
        snprintf(text, sizeof text,
                 "Snapshot: a thread touched memory whose content cannot be restored; the process ends "
                 "here, since it must not go on.\n");
    char *at = text + length;
    size_t left = sizeof text - (size_t)length;
    unsigned long long offset = block->offset;
    switch (get(&fill->failed_kind)) {
    case SN_FILL_CHECKSUM:
        snprintf(at, left,
                 "%s, offset %llu: the checksum of block %u is wrong. The image is damaged; restart from "
                 "another generation or restore the file from a copy.\n",
                 name, offset, block->number);
        break;
    case SN_FILL_DECODE:
        snprintf(at, left,
                 "%s, offset %llu: a block of %u pages does not decode to that many. The image is damaged; "
                 "restart from another generation or restore the file from a copy.\n",
                 name, offset, block->pages);
        break;
    case SN_FILL_READ:
        snprintf(at, left, "reading failed: %s, offset %llu: %s. Committed generations are untouched.\n",
                 name, offset,
                 fill->failed_error == 0 ? "the file ended before its length" : strerror(fill->failed_error));
        break;
    default:
        snprintf(at, left, "UFFDIO_COPY failed: %s. Leave more memory free.\n", strerror(fill->failed_error));
        break;
    }
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
    abort();
}

static uint64_t end_of_range(const struct sn_fill *fill, uint64_t address)
{
    uint32_t low = 0, high = fill->range_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (fill->ranges[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    int inside = low < fill->range_count && fill->ranges[low].start <= address;
    return inside ? fill->ranges[low].end : address + SN_PAGE_BYTES;
}

/* ---- faults -------------------------------------------------------------------------------------------- */

/*
 * Installs zeros from an address on, at most up to a limit: more of them when the application goes on where
 * the last ones ended, for a fault costs much more than a page.
 */
static void install_zeros(struct sn_fill *fill, struct room *room, uint64_t address, uint64_t limit)
{
    uint64_t bytes = ZEROS_LEAST;
    if (address == room->zeroed_to)
        bytes = 2 * room->zeroed_bytes < sizeof zeros ? 2 * room->zeroed_bytes : sizeof zeros;
    if (bytes > limit - address)
        bytes = limit - address;
    uint64_t copied = 0;
    int32_t error = sn_uffd_copy(fill->uffd, address, (uint64_t)(uintptr_t)zeros, bytes, &copied);
    if (copied == 0) {
        /* There already; or the rest is another mapping's. */
        if (error == ENOENT && bytes > SN_PAGE_BYTES)
            sn_uffd_copy(fill->uffd, address, (uint64_t)(uintptr_t)zeros, SN_PAGE_BYTES, &copied);
        sn_uffd_wake(fill->uffd, address, SN_PAGE_BYTES);
    }
    room->zeroed_to = address + copied;
    room->zeroed_bytes = bytes;
}

/* Fetches a block before all that is streamed; 0: another thread is at it, look again. */
static int fetch_urgently(struct sn_fill *fill, struct room *room, struct sn_fill_block *block)
{
    __atomic_add_fetch(&fill->urgent, 1, __ATOMIC_SEQ_CST);
    int mine = get(&fill->closed) == 0 && sn_block_claim(block);
    int over = mine || get(&fill->closed) != 0;
    if (mine)
        sn_block_fetch(fill, block, room);
    if (__atomic_sub_fetch(&fill->urgent, 1, __ATOMIC_SEQ_CST) == 0)
        wake_all(&fill->urgent);
    return over;
}

/* A fault on a page of a run. */
static void serve_run(struct sn_fill *fill, struct room *room, const struct sn_fill_run *run,
                      uint64_t address)
{
    uint64_t ordinal = run->ordinal + (address - run->address) / SN_PAGE_BYTES;
    struct sn_fill_block *block = sn_block_of(fill, run, ordinal);
    uint64_t bit = UINT64_C(1) << (ordinal - block->ordinal);
    for (;;) {
        int wanted = (wanted_of(block) & bit) != 0;
        switch (get(&block->state)) {
        case SN_FILL_IDLE:
            if (!wanted) {
                install_zeros(fill, room, address, address + SN_PAGE_BYTES);
                return;
            }
            if (!fetch_urgently(fill, room, block))
                continue;
            /* It was installed, or what was not there faults again. */
            sn_uffd_wake(fill->uffd, address, SN_PAGE_BYTES);
            return;
        case SN_FILL_BUSY:
            if (!wanted)
                install_zeros(fill, room, address, address + SN_PAGE_BYTES);
            return; /* whoever fetches it wakes whoever waits for it, in any case */
        case SN_FILL_DONE: {
            /* It was given up, and is touched anew: zeros, and as many as belong to this block. */
            uint64_t end = block->ordinal + block->pages;
            if (end > run->ordinal + run->pages)
                end = run->ordinal + run->pages;
            install_zeros(fill, room, address, address + (end - ordinal) * SN_PAGE_BYTES);
            return;
        }
        default:
            if (get(&fill->lenient) == 0)
                die(fill);
            install_zeros(fill, room, address, address + SN_PAGE_BYTES);
            return;
        }
    }
}

static void serve(struct sn_fill *fill, struct room *room, uint64_t address)
{
    __atomic_fetch_add(&fill->faults, 1, __ATOMIC_RELAXED);
    uint32_t place = sn_run_after(fill, address);
    const struct sn_fill_run *run = place < fill->run_count ? &fill->runs[fill->by_address[place]] : NULL;
    if (run != NULL && run->address <= address) {
        serve_run(fill, room, run, address);
        return;
    }
    uint64_t limit = end_of_range(fill, address);
    if (run != NULL && run->address < limit)
        limit = run->address;
    install_zeros(fill, room, address, limit);
}

int32_t sn_fill_serve(struct sn_fill *fill)
{
    struct room room;
    int32_t error = sn_room_open(&room);
    if (error != 0)
        return error;
    __atomic_add_fetch(&fill->serving, 1, __ATOMIC_SEQ_CST);
    wake_all(&fill->serving);
    for (;;) {
        struct pollfd ready[2] = {{.fd = fill->uffd, .events = POLLIN}, {.fd = fill->stop, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0)
            continue; /* EINTR; nothing else is possible */
        if (ready[1].revents != 0)
            break;
        uint64_t address;
        while (sn_uffd_next_fault(fill->uffd, 0, &address) == 0)
            serve(fill, &room, address);
    }
    sn_room_close(&room);
    return 0;
}

/* ---- streaming ----------------------------------------------------------------------------------------- */

static int is_next(const struct sn_fill_block *block, const struct sn_fill_block *next)
{
    return next->image == block->image && next->offset == block->offset + padded(block);
}

/* Fetches those of at most BATCH blocks that are idle, neighbours in the file together. */
static void stream_some(struct sn_fill *fill, struct room *room, uint32_t from, uint32_t to)
{
    struct sn_fill_block *together[BATCH];
    while (from < to) {
        struct sn_fill_block *block = &fill->blocks[fill->order[from++]];
        if (!sn_block_claim(block))
            continue;
        uint32_t count = 1;
        together[0] = block;
        while (wanted_of(block) != 0 && from < to) {
            struct sn_fill_block *next = &fill->blocks[fill->order[from]];
            if (!is_next(block, next) || wanted_of(next) == 0 || !sn_block_claim(next))
                break;
            together[count++] = block = next;
            from++;
        }
        sn_block_fetch_all(fill, together, count, room);
    }
}

int32_t sn_fill_stream(struct sn_fill *fill)
{
    struct room room;
    int32_t error = sn_room_open(&room);
    if (error != 0)
        return error;
    uint32_t at = 0, end = 0; /* what this thread has taken on */
    while (get(&fill->stopping) == 0 && get(&fill->failed) == 0) {
        uint32_t waiting = get(&fill->urgent);
        if (waiting != 0) {
            wait_while(&fill->urgent, waiting);
            continue;
        }
        if (at == end) {
            at = __atomic_fetch_add(&fill->cursor, STRIDE, __ATOMIC_SEQ_CST);
            if (at >= fill->block_count)
                break;
            end = fill->block_count - at < STRIDE ? fill->block_count : at + STRIDE;
        }
        uint32_t to = end - at < BATCH ? end : at + BATCH;
        stream_some(fill, &room, at, to);
        at = to;
    }
    sn_room_close(&room);

    /* Others may still have blocks. */
    for (;;) {
        uint32_t left = get(&fill->remaining);
        if (left == 0 || get(&fill->stopping) != 0 || get(&fill->failed) == 1)
            return 0;
        wait_while(&fill->remaining, left);
    }
}

int32_t sn_fill_stop_streaming(struct sn_fill *fill)
{
    set(&fill->stopping, 1);
    wake_all(&fill->remaining);
    return 0;
}
