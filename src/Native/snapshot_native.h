/*
 * snapshot_native.h: everything the C part of Snapshot offers to its C# part.
 *
 * Conventions
 *   - Every function returns 0 or an errno value, unless its comment says otherwise; errno itself is not part
 *     of the contract. Results come back through pointers and are written only on success.
 *   - Addresses and sizes are uint64_t, in bytes.
 *     Unless a comment says otherwise both are multiples of the page size.
 *   - Functions are thin: one system call each, no policy, no state, no allocation. All are thread-safe. The
 *     functions of fill.c and serve.c, and those of the files listed in span.h, are the exception; why is
 *     said in fill.c and freeze.c.
 *   - The constants are part of the ABI: never renumber, bump SN_ABI_VERSION when a signature changes.
 */
#ifndef SNAPSHOT_NATIVE_H
#define SNAPSHOT_NATIVE_H

#include <stdint.h>

#define SN_API __attribute__((visibility("default")))

#define SN_ABI_VERSION 16

#define SN_PAGE_BYTES UINT64_C(4096)

/* Returns SN_ABI_VERSION of the library as built (not an errno). */
SN_API int32_t sn_abi_version(void);

/* Where the fields of all structs here lie as built; see layout.h, which is not needed otherwise. */
struct sn_layout;
SN_API int32_t sn_layouts(const struct sn_layout **layouts, uint64_t *count);

/* ---- memory.c: address space --------------------------------------------------------------------------- */

/* Reserves [base, base+bytes) without access. EEXIST when anything is mapped there already. */
SN_API int32_t sn_memory_reserve(uint64_t base, uint64_t bytes);

/* Makes a part of a reservation readable and writable; the memory reads as zero until written. */
SN_API int32_t sn_memory_commit(uint64_t base, uint64_t bytes);

/*
 * The same for memory that can be done without: ENOMEM also where it would leave less than SN_SPARE_BYTES to
 * commit.
 */
/* near a limit the program and its runtime need something, too */
#define SN_SPARE_BYTES (UINT64_C(16) << 20)
SN_API int32_t sn_memory_commit_spare(uint64_t base, uint64_t bytes);

/* Drops the content of committed memory: it reads as zero again and costs nothing. */
SN_API int32_t sn_memory_discard(uint64_t base, uint64_t bytes);

/* Copies memory that may not be there, or may go meanwhile: EFAULT then, and never a signal. */
SN_API int32_t sn_memory_read(uint64_t address, uint64_t bytes, void *target);

/* Takes all access away: whoever touches the memory from now on gets SIGSEGV. */
SN_API int32_t sn_memory_seal(uint64_t base, uint64_t bytes);

/* Unmaps. */
SN_API int32_t sn_memory_release(uint64_t base, uint64_t bytes);

/* enable != 0: ask for huge pages in the range; 0: refuse them. */
SN_API int32_t sn_memory_advise_huge(uint64_t base, uint64_t bytes, int32_t enable);

/*
 * Makes whole huge pages of the small ones in a range (Linux 6.1), as far as there is memory for it; copies
 * them. EINVAL: the kernel does not know how, or some are registered with a userfaultfd. EAGAIN, ENOMEM: some
 * were left.
 */
SN_API int32_t sn_memory_collapse(uint64_t base, uint64_t bytes);

/* Faults the range in for writing, so that later writes do not fault. */
SN_API int32_t sn_memory_populate(uint64_t base, uint64_t bytes);

/* Names the range in /proc/self/maps as [anon:NAME]. EINVAL when the kernel was built without this. */
SN_API int32_t sn_memory_name(uint64_t base, uint64_t bytes, const char *name);

/*
 * Reserves memory without access wherever the kernel likes, aligned to 2 MiB and asking for huge pages. It is
 * charged when it is committed where vm.overcommit_memory is 2, else when it is written.
 */
SN_API int32_t sn_memory_reserve_anywhere(uint64_t bytes, uint64_t *base);

/*
 * Maps fresh private anonymous memory wherever the kernel likes, as much as there are addresses for: what is
 * not written is not charged, but where vm.overcommit_memory is 2. For memory of which most may stay zero.
 */
SN_API int32_t sn_memory_map_sparse(uint64_t bytes, uint64_t *base);

/* ---- track.c: which pages were written ----------------------------------------------------------------- */

/* One run of pages as PAGEMAP_SCAN reports it. Layout of the kernel's struct page_region. */
struct sn_page_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

#define SN_PAGE_WPALLOWED UINT64_C(1)
#define SN_PAGE_WRITTEN UINT64_C(2)
#define SN_PAGE_FILE UINT64_C(4)
#define SN_PAGE_PRESENT UINT64_C(8)
#define SN_PAGE_SWAPPED UINT64_C(16)
#define SN_PAGE_PFNZERO UINT64_C(32)
#define SN_PAGE_HUGE UINT64_C(64)
#define SN_PAGE_SOFT_DIRTY UINT64_C(128)

/*
 * Opens a userfaultfd (user_mode_only != 0: UFFD_USER_MODE_ONLY)
 * and enables `features` (UFFD_FEATURE_* bits).
 */
SN_API int32_t sn_uffd_open(int32_t user_mode_only, uint64_t features, int32_t *fd);

/*
 * The same through /dev/userfaultfd, which also serves faults of the kernel: for whoever may open the device
 * (Linux 6.1).
 */
SN_API int32_t sn_uffd_open_device(uint64_t features, int32_t *fd);

/* Registers / unregisters a range for write-protect mode. */
SN_API int32_t sn_uffd_register_wp(int32_t fd, uint64_t base, uint64_t bytes);
SN_API int32_t sn_uffd_unregister(int32_t fd, uint64_t base, uint64_t bytes);

/*
 * Registers a range for write-protect mode and for faults on pages that are not there: whoever touches one
 * waits until it is installed.
 */
SN_API int32_t sn_uffd_register_missing(int32_t fd, uint64_t base, uint64_t bytes);

/*
 * Waits at most timeout_ms milliseconds (negative: without limit) for a fault on a page that is not there.
 * EAGAIN: there was none. *address is that of the page.
 */
SN_API int32_t sn_uffd_next_fault(int32_t fd, int32_t timeout_ms, uint64_t *address);

/*
 * Installs copies of pages where none are, write-protected, and wakes whoever waits for them. *copied is how
 * many bytes were, also after a failure. EEXIST: the page behind those is there already.
 */
SN_API int32_t sn_uffd_copy(int32_t fd, uint64_t target, uint64_t source, uint64_t bytes, uint64_t *copied);

/* Lets threads that wait for pages of the range look again. */
SN_API int32_t sn_uffd_wake(int32_t fd, uint64_t base, uint64_t bytes);

/*
 * Sets (on != 0) or clears write protection of a registered range; of one that is not registered everywhere
 * it is cleared where it is, and ENOENT returned.
 */
SN_API int32_t sn_uffd_protect(int32_t fd, uint64_t base, uint64_t bytes, int32_t on);

/* Opens /proc/self/pagemap for sn_pagemap_scan. */
SN_API int32_t sn_pagemap_open(int32_t *fd);

#define SN_SCAN_PROTECT 1 /* write-protect exactly the reported pages again in the same pass */
/* EPERM where memory is not registered with WP-async; SN_SCAN_PROTECT implies it */
#define SN_SCAN_TRACKED 2
/* without PAGEMAP_SCAN: reads the entries one by one; FILE, PRESENT, SWAPPED, SOFT_DIRTY */
#define SN_SCAN_ENTRIES 4

/*
 * PAGEMAP_SCAN of [start, end): the runs whose categories contain all bits of `require`, none of `forbid`
 * and, unless `any` is 0, at least one bit of `any`.
 * `flags`: SN_SCAN_* or 0.
 * At most `capacity` runs are stored; *count is their number and *walked the address up to which the range
 * was scanned (== end when all of it was).
 */
SN_API int32_t sn_pagemap_scan(int32_t fd, uint64_t start, uint64_t end, uint64_t require, uint64_t forbid,
                               uint64_t any, int32_t flags, struct sn_page_region *regions, uint64_t capacity,
                               uint64_t *count, uint64_t *walked);

/*
 * Opens /proc/self/clear_refs, and clears by it the soft-dirty bit of every page of the process: from then on
 * the kernel sets it (SN_PAGE_SOFT_DIRTY) at the first write to each. What is written while bits are cleared
 * may be lost.
 */
SN_API int32_t sn_soft_dirty_open(int32_t *fd);
SN_API int32_t sn_soft_dirty_clear(int32_t fd);

/* Closes a descriptor opened by one of the functions above. */
SN_API int32_t sn_close(int32_t fd);

/* ---- maps.c: what is mapped where ---------------------------------------------------------------------- */

/* A mapping of this process. */
struct sn_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t kind; /* SN_MAPPING_* */
};

#define SN_MAPPING_READABLE UINT64_C(1)
#define SN_MAPPING_SHARED UINT64_C(2) /* others may write it through mappings of their own */
#define SN_MAPPING_FILE UINT64_C(4)   /* without memory of its own a page shows what a file holds */

/* Opens /proc/self/maps for sn_maps_query. */
SN_API int32_t sn_maps_open(int32_t *fd);

/* The mapping that an address is in. ENOENT: there is none. ENOTTY: the kernel is older than 6.11. */
SN_API int32_t sn_maps_query(int32_t fd, uint64_t address, struct sn_mapping *mapping);

/*
 * All mappings, lowest first, on any kernel. ERANGE: there are more than `capacity`; *count is their number,
 * also then.
 */
SN_API int32_t sn_maps_list(struct sn_mapping *list, uint64_t capacity, uint64_t *count);

#include "snapshot_fill.h"

/* ---- freeze.c, deliver.c, open.c, regions.c, signal.c: memory that is copied before it is written -------
 */

#define SN_SPAN_PAGES 512u /* of a huge page */
#define SN_COLLECT_EARLY 8 /* not a flag of a scan */

/*
 * Copies lie in extents: of a span; of 16 pages, where there is no room for more; of a page copied in the
 * pause.
 */
#define SN_EXTENT_SPAN 0u
#define SN_EXTENT_16 1u
#define SN_EXTENT_PAGE 2u

/*
 * Memory for copies: slots of one page each, handed out in extents of 512, 16 or 1 of them. They are a
 * reservation, of which the first `committed` slots and the first `extra_committed` ones behind the limit may
 * be written; more is committed as it is needed, and where the kernel refuses that, there is no slot. The
 * caller sets what stands before `heads` and zeroes the rest up to `peak`; doing so again takes all slots
 * back, while nobody uses any.
 */
struct sn_slots {
    uint64_t base;      /* address of slot 0; a multiple of 2 MiB */
    uint32_t *next;     /* one word a slot: the free lists go through it */
    uint32_t limit;     /* slots that may be used, a multiple of 512; what lies behind is for need alone */
    uint32_t extra;     /* slots behind the limit, a multiple of 512 */
    uint32_t committed; /* a multiple of 512; only grows */
    uint32_t extra_committed; /* the same behind the limit */
    uint64_t heads[3];        /* free extents by SN_EXTENT_*: count of changes << 32, slot + 1 */
    uint32_t fresh;           /* the first slot never used; a multiple of 512. The caller may begin above 0 */
    uint32_t need;            /* of the extra slots, how many are used; they are not used again */
    /* counts what is returned and what is read: whoever waits for a slot waits for it to change */
    uint32_t changes;
    uint32_t waiting; /* threads that do */
    uint32_t used;    /* slots in use; the caller begins where it begins with `fresh` */
    uint32_t peak;    /* the most that were */
    /* set by the caller: slots that have memory; != 0: so many copies are not needed again */
    uint32_t resident, once;
    uint64_t waited_ns; /* for slots that have memory, less what fresh memory was taken for it */
    /* what the copy of a span took of late: to memory that was used before; to fresh memory */
    uint64_t copy_ns[2];
};

struct sn_span {
    uint32_t lock;
    uint32_t order; /* when it was first opened since the last collect: 1 was first; 0: not at all */
    uint16_t ahead; /* how many spans were opened ahead when this one was */
    uint8_t opened; /* != 0: some page is written */
    uint8_t whole;  /* != 0: each page is armed or written */
};

/*
 * A region; the caller's until sn_region_remove has returned. A bit a page, 8 words a span. Invariants:
 * freeze.c.
 */
struct sn_region {
    uint64_t start; /* a multiple of 2 MiB */
    uint64_t pages; /* capacity; a multiple of 512 */
    uint64_t *armed;
    uint64_t *written;
    uint64_t *frozen;
    uint64_t *copied;
    uint32_t *slots; /* a word a page: where the copy is; SN_EXTENT_* << 30 | slot */
    struct sn_span *spans;
    uint32_t *orders; /* a word a span: its `order` at the last collect */
    uint32_t opened;  /* spans opened since the last collect; orders come from here */
    /* != 0: memory was opened without being noted; the next collect finds all of it changed */
    uint32_t lost;
    uint64_t collected;                  /* pages that the last collect looked at */
    uint64_t changed_first, changed_end; /* the spans in which it found any */
    uint64_t first, end; /* the pages that are the region's; others of its spans are not touched */
    uint32_t foreign;    /* != 0: somebody else may free its memory at any time (foreign.c) */
    int32_t pagemap;     /* where that is so: tells what became of it, by a scan */
    uint64_t gone;       /* since the freeze: a place where content was wanted that is lost; 0: none */
};

#define SN_REGIONS_MAX 1024u
#define SN_BY_SIGNALS (-1)

/*
 * All there is to it, for a session. Zeroed by the caller but for uffd and stop; freed when all threads are
 * back.
 */
struct sn_freezer {
    int32_t uffd; /* synchronous: without UFFD_FEATURE_WP_ASYNC; or SN_BY_SIGNALS */
    int32_t stop; /* an event (sn_event_open): signalled, it ends sn_freezer_serve */
    struct sn_slots slots;
    struct sn_region *regions[SN_REGIONS_MAX];
    uint32_t region_count;
    uint32_t inside;  /* threads that look at a region */
    uint32_t serving; /* threads in sn_freezer_serve */
    uint32_t held;    /* != 0: nothing is opened ahead */
    /* Counted since the beginning. */
    uint64_t faults;
    uint64_t opened_ahead; /* pages */
    uint64_t copied;       /* pages, by faults and ahead of them */
    uint64_t copy_ns;
    uint64_t waits; /* times faults waited for a slot */
    uint64_t wait_ns;
    uint64_t spoiled; /* times frozen content was given up: what is captured then is not whole */
};

/*
 * Serves writes to regions of a freezer that is SN_BY_SIGNALS, from now until sn_freezer_leave_signals, on
 * the threads that make them. The first call puts a handler of SIGSEGV before the one that is there. ENOSPC:
 * too many freezers.
 */
SN_API int32_t sn_freezer_take_signals(struct sn_freezer *freezer);
SN_API int32_t sn_freezer_leave_signals(struct sn_freezer *freezer);

/*
 * Serves writes to protected memory until the event is signalled, and runs nothing else. Any number of
 * threads.
 */
SN_API int32_t sn_freezer_serve(struct sn_freezer *freezer);

/* Registers the memory of a region and serves it. Nothing of it is armed. ENOSPC: too many regions. */
SN_API int32_t sn_region_add(struct sn_freezer *freezer, struct sn_region *region);

/* Ends the registration; nobody looks at the region after the return. */
SN_API int32_t sn_region_remove(struct sn_freezer *freezer, struct sn_region *region);

/*
 * Adds to `changed` the pages of the first `pages` that were written since they were last armed, and those
 * with memory that are not armed, and arms them. `how`: SN_SCAN_ENTRIES where the kernel has no scan;
 * SN_COLLECT_EARLY while the application runs, before the collect for which it stands still. `pagemap` is -1
 * where there is none, and then all pages count as having memory. Those in `open`, which may be NULL, are
 * added where they have memory and are not armed: sn_region_freeze copies them. Of foreign memory those are
 * added, too, that lost their protection: they were dropped, freed or replaced. What came in their place is
 * not registered, and ENOENT says so: it may be anybody's. After a failure nothing is armed.
 */
SN_API int32_t sn_region_collect(struct sn_freezer *freezer, struct sn_region *region, int32_t pagemap,
                                 int32_t how, uint64_t pages, const uint64_t *open, uint64_t *changed);

/* Pages were discarded: they are not armed any more, and read as zero until they are written. */
SN_API int32_t sn_region_disarm(struct sn_freezer *freezer, struct sn_region *region, uint64_t first,
                                uint64_t count);

/* Opens pages as a write would: for a system call that is to write them, where it would not wait but fail. */
SN_API int32_t sn_region_open(struct sn_freezer *freezer, struct sn_region *region, uint64_t first,
                              uint64_t count);

/*
 * The content of those of the first `pages` that are in `wanted` is wanted as it is now: sn_region_read will
 * deliver it. Call it after the collect that armed them, while nobody writes, and with nothing of the region
 * wanted from before (sn_region_thaw).
 */
SN_API int32_t sn_region_freeze(struct sn_freezer *freezer, struct sn_region *region, uint64_t pages,
                                const uint64_t *wanted);

/*
 * Copies bytes of frozen pages of one span, counted from the region's first, to `target`, and lets the pages
 * go, but for the first or the last of them where `keep`, SN_KEEP_*, says so. Others read as zero. ESTALE:
 * content that was wanted is lost, here or elsewhere in the region; only where it is foreign.
 */
SN_API int32_t sn_region_read(struct sn_freezer *freezer, struct sn_region *region, uint64_t from,
                              uint64_t bytes, uint32_t keep, void *target);

#define SN_KEEP_FIRST 1u
#define SN_KEEP_LAST 2u

/* Copies frozen pages of a range away, as a write would: for whoever is about to discard them. */
SN_API int32_t sn_region_secure(struct sn_freezer *freezer, struct sn_region *region, uint64_t first,
                                uint64_t count);

/* Nothing of the first `pages` is wanted any more. */
SN_API int32_t sn_region_thaw(struct sn_freezer *freezer, struct sn_region *region, uint64_t pages);

/* ---- futex.c: sleeping and waking ---------------------------------------------------------------------- */

/*
 * Sleeps while *word == expected, at most timeout_ns nanoseconds (negative: without limit). Private futex.
 * EAGAIN: the value differed at once. ETIMEDOUT: time passed. EINTR: a signal. 0: woken, perhaps spuriously.
 */
SN_API int32_t sn_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns);

/*
 * The same for two words at once (futex_waitv, Linux 5.16): sleeps while both hold.
 * ENOSYS on an older kernel.
 */
SN_API int32_t sn_futex_wait_either(const uint32_t *word1, uint32_t expected1, const uint32_t *word2,
                                    uint32_t expected2, int64_t timeout_ns);

/* Wakes at most `count` sleepers. */
SN_API int32_t sn_futex_wake(const uint32_t *word, int32_t count);

/* ---- thread.c: what .NET cannot ask of a thread -------------------------------------------------------- */

/*
 * Sets the calling thread's nice value, counted from the first thread's. *raised: that raises it, or EACCES,
 * EPERM.
 */
SN_API int32_t sn_thread_nice(int32_t nice, int32_t *raised);

/* Processor time that the calling thread has used, in nanoseconds. */
SN_API int32_t sn_thread_time(uint64_t *time);

/* ---- file.c: what .NET cannot ask of a file ------------------------------------------------------------ */

/* Sets or clears O_DIRECT on an open descriptor. EINVAL where the file system refuses it. */
SN_API int32_t sn_file_set_direct(int32_t fd, int32_t on);

/*
 * Makes the content of a file durable (fsync). .NET's own call for it (10.0.12) reports no error of fsync, so
 * none of its callers would learn that a write-back failed. After an error pages may be marked clean all the
 * same: a second call that succeeds says nothing about them.
 */
SN_API int32_t sn_file_sync(int32_t fd);

/* Makes the entries of a directory durable (open + fsync + close). `path` is UTF-8. */
SN_API int32_t sn_directory_sync(const char *path);

/* ---- lock.c: one writer at a time ---------------------------------------------------------------------- */

/*
 * Locks an open file against other descriptors of it, in this process and others (flock). EWOULDBLOCK: it is
 * locked; other errors: the file system has no locks, or cannot say. Forked children do not get the lock.
 * ENFILE: 1,024 are held already.
 */
SN_API int32_t sn_lock_acquire(int32_t fd);

/* Gives the lock back; before the descriptor is closed. */
SN_API void sn_lock_release(int32_t fd);

/* ---- limit_signal.c: a file grows beyond the limit, and the process lives to tell ---------------------- */

/*
 * Blocks SIGXFSZ in the calling thread. *held != 0: it was not blocked before, and sn_limit_signal_release is
 * to be called by the same thread: it takes away the signal that a write caused, and unblocks.
 */
SN_API int32_t sn_limit_signal_hold(int32_t *held);
SN_API int32_t sn_limit_signal_release(void);

#endif
