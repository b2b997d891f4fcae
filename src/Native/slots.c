/*
 * slots.c: memory for copies of pages, handed out without a lock. Extents of 512 slots come from the part
 * never used yet or from those returned; extents of 16 and of 1 are pieces of larger ones. Pieces are not
 * joined again before the caller takes all slots back, which it does after each checkpoint.
 *
 * A free list is a stack (Treiber 1986) through `next`; its head carries a count of changes against a head
 * that was taken and returned in between (the ABA problem). A slot's word in `next` may be read while another
 * thread takes the extent and uses the slot: the word is not in the slot, and the compare-and-swap then
 * fails.
 *
 * Slots are committed before they are taken: where the kernel refuses memory no slot is lost for it, and
 * whoever needs one waits as it does at the limit.
 *
 * Fresh memory may be dear: 2 MiB of it took 0.2 to 13 ms on virtual machines, and the drain needs one for a
 * span. So whoever needs an extent waits for one to be returned. When the waits have come to what fresh
 * memory costs more than memory that was used before, fresh memory is taken: in all at most twice what the
 * better of the two would have cost (the ski rental problem; Karlin, Manasse, Rudolph, Sleator 1988). It is
 * there for all checkpoints that follow, of which there are seldom fewer than four: so each is expected to
 * pay a quarter. Where so many copies are not needed again, the whole counts, and each wait is seen by
 * itself.
 */
#include "slots.h"

#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "span.h"
#include "invariant.h"

static void push(struct sn_slots *slots, uint32_t extent, uint32_t first)
{
    uint64_t head = __atomic_load_n(&slots->heads[extent], __ATOMIC_ACQUIRE);
    uint64_t replacement;
    do {
        __atomic_store_n(&slots->next[first], (uint32_t)head, __ATOMIC_RELAXED);
        replacement = ((head >> 32) + 1) << 32 | (first + 1);
    } while (!__atomic_compare_exchange_n(&slots->heads[extent], &head, replacement, 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
}

static uint32_t pop(struct sn_slots *slots, uint32_t extent)
{
    uint64_t head = __atomic_load_n(&slots->heads[extent], __ATOMIC_ACQUIRE);
    uint64_t replacement;
    do {
        if ((uint32_t)head == 0)
            return NO_SLOT;
        uint32_t next = __atomic_load_n(&slots->next[(uint32_t)head - 1], __ATOMIC_RELAXED);
        replacement = ((head >> 32) + 1) << 32 | next;
    } while (!__atomic_compare_exchange_n(&slots->heads[extent], &head, replacement, 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return (uint32_t)head - 1;
}

/* Slots that are committed at once, 32 MiB: a system call each, which others who map memory wait for. */
#define COMMIT_SLOTS (16 * SN_SPAN_PAGES)

/* Of what nobody can do without, the last is taken, too. */
static int commit(const struct sn_slots *slots, uint64_t first, uint64_t count, int is_needed)
{
    uint64_t base = slots->base + first * SN_PAGE_BYTES, bytes = count * SN_PAGE_BYTES;
    return (is_needed ? sn_memory_commit(base, bytes) : sn_memory_commit_spare(base, bytes)) == 0;
}

/*
 * Lets the slots [first, first+wanted) be written, of at most `most`; `done` counts those that may be
 * already. 0: the kernel refuses. Threads may commit the same slots at once, which does no harm; the count
 * goes up only after its slots were committed, so whoever reads it (acquire) may write them. Slots behind the
 * limit, first != 0, are those that somebody needs.
 */
static int reach(const struct sn_slots *slots, uint32_t first, uint32_t *done, uint32_t wanted, uint32_t most)
{
    uint32_t now = __atomic_load_n(done, __ATOMIC_ACQUIRE);
    while (now < wanted) {
        uint32_t next = most - now > COMMIT_SLOTS ? now + COMMIT_SLOTS : most;
        if (!commit(slots, first + now, next - now, first != 0)) {
            /* Near a limit: what is needed, and no more. */
            next = now + SN_SPAN_PAGES;
            if (!commit(slots, first + now, next - now, first != 0))
                return 0;
        }
        if (__atomic_compare_exchange_n(done, &now, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            now = next;
    }
    return 1;
}

/* The next 512 slots that were never used, of the first `most`. */
static uint32_t take_unused(struct sn_slots *slots, uint32_t most)
{
    uint32_t fresh = __atomic_load_n(&slots->fresh, __ATOMIC_RELAXED);
    do {
        if (fresh + SN_SPAN_PAGES > most ||
            !reach(slots, 0, &slots->committed, fresh + SN_SPAN_PAGES, slots->limit))
            return NO_SLOT;
    } while (!__atomic_compare_exchange_n(&slots->fresh, &fresh, fresh + SN_SPAN_PAGES, 0, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return fresh;
}

static uint32_t take(struct sn_slots *slots, uint32_t extent)
{
    uint32_t first = pop(slots, extent);
    if (first != NO_SLOT)
        return first;
    if (extent == SN_EXTENT_SPAN)
        return take_unused(slots, slots->limit);

    /* A piece of the next larger extent; the others are returned. */
    first = take(slots, extent - 1);
    if (first == NO_SLOT)
        return NO_SLOT;
    uint32_t pieces = sn_extent_pages(extent - 1), size = sn_extent_pages(extent);
    for (uint32_t at = size; at < pieces; at += size)
        push(slots, extent, first + at);
    return first;
}

/* Counts an extent as used, if there is one. */
static uint32_t use(struct sn_slots *slots, uint32_t first, uint32_t extent)
{
    if (first == NO_SLOT)
        return NO_SLOT;
    /* Else a copy would be written to memory that is somebody else's, or nobody's. */
    SN_INVARIANT(first < slots->limit, "a slot that is handed out is below the limit");
    uint32_t used = __atomic_add_fetch(&slots->used, sn_extent_pages(extent), __ATOMIC_RELAXED);
    uint32_t peak = __atomic_load_n(&slots->peak, __ATOMIC_RELAXED);
    while (used > peak &&
           !__atomic_compare_exchange_n(&slots->peak, &peak, used, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return first;
}

uint32_t sn_slots_take(struct sn_slots *slots, uint32_t extent)
{
    return use(slots, take(slots, extent), extent);
}

uint32_t sn_slots_take_warm(struct sn_slots *slots)
{
    uint32_t first = pop(slots, SN_EXTENT_SPAN);
    if (first == NO_SLOT)
        first = take_unused(slots, slots->resident < slots->limit ? slots->resident : slots->limit);
    return use(slots, first, SN_EXTENT_SPAN);
}

#define CHECKPOINTS_LIKELY 4u /* that will use what is taken now */

/* What fresh memory costs more. Until both are known: nothing. */
static uint64_t price(const struct sn_slots *slots)
{
    uint64_t warm = __atomic_load_n(&slots->copy_ns[0], __ATOMIC_RELAXED);
    uint64_t fresh = __atomic_load_n(&slots->copy_ns[1], __ATOMIC_RELAXED);
    return warm == 0 || fresh <= warm ? 0 : fresh - warm;
}

/* The part of it that is worth waiting for. */
static uint64_t share(const struct sn_slots *slots)
{
    return slots->once != 0 ? price(slots) : price(slots) / CHECKPOINTS_LIKELY;
}

/* All of these are estimates: what one of two threads says at once may be lost. */
void sn_slots_learn(struct sn_slots *slots, int is_fresh, uint64_t copy_ns)
{
    uint64_t before = __atomic_load_n(&slots->copy_ns[is_fresh], __ATOMIC_RELAXED);
    uint64_t now = before == 0 ? copy_ns : before - before / 4 + copy_ns / 4;
    __atomic_store_n(&slots->copy_ns[is_fresh], now, __ATOMIC_RELAXED);
    if (!is_fresh)
        return;
    uint64_t waited = __atomic_load_n(&slots->waited_ns, __ATOMIC_RELAXED), paid = share(slots);
    __atomic_store_n(&slots->waited_ns, waited > paid ? waited - paid : 0, __ATOMIC_RELAXED);
}

uint64_t sn_slots_patience(const struct sn_slots *slots, uint64_t waited_ns)
{
    uint64_t most = share(slots);
    uint64_t waited = slots->once != 0 ? waited_ns : __atomic_load_n(&slots->waited_ns, __ATOMIC_RELAXED);
    return waited < most ? most - waited : 0;
}

void sn_slots_waited(struct sn_slots *slots, uint64_t ns)
{
    if (slots->once == 0)
        __atomic_fetch_add(&slots->waited_ns, ns, __ATOMIC_RELAXED);
}

int sn_slots_fresh_is_dear(const struct sn_slots *slots)
{
    return price(slots) > __atomic_load_n(&slots->copy_ns[0], __ATOMIC_RELAXED);
}

uint32_t sn_slots_take_needed(struct sn_slots *slots)
{
    uint32_t pages = sn_extent_pages(SN_EXTENT_16);
    uint32_t taken = __atomic_load_n(&slots->need, __ATOMIC_RELAXED);
    do {
        if (taken + pages > slots->extra ||
            !reach(slots, slots->limit, &slots->extra_committed, taken + pages, slots->extra))
            return NO_SLOT;
    } while (!__atomic_compare_exchange_n(&slots->need, &taken, taken + pages, 0, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return slots->limit + taken;
}

void sn_slots_put(struct sn_slots *slots, uint32_t first, uint32_t extent)
{
    uint32_t pages = sn_extent_pages(extent);
    /* Else the next to take it would get slots that belong to the neighbour, too. */
    SN_INVARIANT(first % pages == 0, "an extent begins at a multiple of its size");
    if (first >= slots->limit)
        return;
    uint32_t used = __atomic_fetch_sub(&slots->used, pages, __ATOMIC_RELAXED);
    /* Else two would take it, and one page be delivered with the content of another. */
    SN_INVARIANT(used >= pages, "a slot is returned once");
    push(slots, extent, first);
}

void sn_slots_changed(struct sn_slots *slots, int helps)
{
    /*
     * Both sequentially consistent, as in sn_slots_wait: either the waiter sees the change, or it is seen
     * waiting.
     */
    __atomic_add_fetch(&slots->changes, 1, __ATOMIC_SEQ_CST);
    if (helps && __atomic_load_n(&slots->waiting, __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, &slots->changes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

int sn_slots_wait(struct sn_slots *slots, uint32_t seen, uint64_t most_ns)
{
    const struct timespec patience = {.tv_nsec = (long)(most_ns < SN_STILL_NS ? most_ns : SN_STILL_NS)};
    __atomic_add_fetch(&slots->waiting, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&slots->changes, __ATOMIC_SEQ_CST) == seen)
        syscall(SYS_futex, &slots->changes, FUTEX_WAIT_PRIVATE, seen, &patience, NULL, 0);
    __atomic_sub_fetch(&slots->waiting, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&slots->changes, __ATOMIC_SEQ_CST) != seen;
}
