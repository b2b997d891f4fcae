/*
 * snapshot_fill.h: the part of snapshot_native.h about pages that are fetched when they are touched, and
 * streamed in behind (fill.c, serve.c).
 */
#ifndef SNAPSHOT_SNAPSHOT_FILL_H
#define SNAPSHOT_SNAPSHOT_FILL_H

#include "snapshot_native.h"

/* An image that is open for reading; O_DIRECT or not. */
struct sn_fill_image {
    const char *name; /* UTF-8, for messages */
    int32_t fd;
    int32_t reserved;
};

/* States of a block. */
#define SN_FILL_IDLE 0u
#define SN_FILL_BUSY 1u   /* one thread fetches it */
#define SN_FILL_DONE 2u   /* what is wanted of it is in memory */
#define SN_FILL_FAILED 3u /* it cannot be read, or is damaged */

/* A block of an image of which pages are wanted. */
struct sn_fill_block {
    uint64_t offset;   /* in the file */
    uint64_t checksum; /* of the stored bytes with their padding */
    uint64_t ordinal;  /* of its first page, in the page stream of its image */
    uint64_t wanted;   /* bit i: page i of the block is to be installed; bits are only ever cleared */
    uint32_t stored;   /* bytes, without padding */
    uint32_t state;    /* SN_FILL_* */
    uint32_t run;      /* the first run that begins or goes on in this block */
    uint32_t number;   /* in its image, for messages */
    uint16_t image;
    uint8_t pages;
    uint8_t encoding; /* 0 plain, 1 LZ4, 2 shuffled and LZ4, 3 differences of that, 4 plain, by page */
    uint8_t element;
    uint8_t reserved[3];
};

/* Pages that are neighbours in memory and in the page stream of an image. */
struct sn_fill_run {
    uint64_t address;
    uint64_t ordinal;
    uint64_t hashes; /* address of 16 bytes a page, which get the hash of what is installed */
    uint32_t pages;
    uint32_t block; /* the block that holds its first page */
    uint32_t image;
    uint32_t reserved;
};

/* A range that is registered for missing pages. */
struct sn_fill_range {
    uint64_t start;
    uint64_t end;
};

/* What went wrong with a block. */
#define SN_FILL_READ 1u     /* error = errno; 0: the file ended */
#define SN_FILL_CHECKSUM 2u /* its checksum is wrong */
#define SN_FILL_DECODE 3u   /* it does not decode to its pages */
#define SN_FILL_INSTALL 4u  /* error = errno of UFFDIO_COPY */

/*
 * All there is to a fill. The caller owns the memory of this struct and of what it points to, and keeps it
 * until every function that was given it has returned. Blocks and runs are sorted by image and ordinal,
 * newest image first; by_address has the runs by address, order the blocks by image and offset; ranges are
 * sorted.
 */
struct sn_fill {
    int32_t uffd; /* negative: the memory is plain, and is copied to by sn_fill_stream alone */
    int32_t stop; /* an event (sn_event_open): signalled, it ends sn_fill_serve */
    struct sn_fill_image *images;
    struct sn_fill_block *blocks;
    struct sn_fill_run *runs;
    uint32_t *by_address, *order;
    struct sn_fill_range *ranges;
    uint32_t block_count;
    uint32_t run_count;
    uint32_t range_count;
    /* From here on the functions below change it, atomically. */
    uint32_t remaining; /* blocks not done; the caller sets it to block_count */
    uint32_t cursor;    /* the next in order to stream */
    uint32_t stopping;  /* != 0: sn_fill_stream returns */
    uint32_t serving;   /* threads in sn_fill_serve */
    uint32_t urgent;    /* faults that are being served: streaming lets them pass */
    uint32_t lenient;   /* != 0: a page that cannot be had reads as zero instead of ending the process */
    uint32_t failed;    /* != 0: the next three tell why */
    uint32_t failed_block;
    uint32_t failed_kind;
    int32_t failed_error;
    uint32_t closed; /* != 0: nothing is fetched any more; the memory was sealed */
    uint64_t pages;  /* installed so far */
    uint64_t faults;
};

/*
 * Serves faults until the event is signalled. The thread runs nothing else meanwhile, so whoever waits for a
 * page waits for no managed code. A page that cannot be had ends the process with a message (but see
 * lenient). Any number of threads. ENOMEM: no room to work in; the thread served nothing.
 */
SN_API int32_t sn_fill_serve(struct sn_fill *fill);

/*
 * Fetches all blocks, in `order`, and returns when none remains, when one failed, or when told to stop:
 * look at `remaining` and `failed`. Any number of threads.
 */
SN_API int32_t sn_fill_stream(struct sn_fill *fill);

/* Makes sn_fill_stream return soon. */
SN_API int32_t sn_fill_stop_streaming(struct sn_fill *fill);

/* Fetches what is wanted of a range, now. EIO: some of it cannot be had; `failed` and its fields tell. */
SN_API int32_t sn_fill_fetch(struct sn_fill *fill, uint64_t base, uint64_t bytes);

/* Nothing is fetched after the return: faults only make their threads look again. Seal the memory first. */
SN_API int32_t sn_fill_close(struct sn_fill *fill);

/*
 * Nothing of the range is wanted any more: no page of it is installed after the return. Whoever calls it then
 * discards the memory, and calls sn_uffd_wake, for a thread may wait for what does not come.
 */
SN_API int32_t sn_fill_forget(struct sn_fill *fill, uint64_t base, uint64_t bytes);

/* An event that one can poll for, and its signal. Closed by sn_close. */
SN_API int32_t sn_event_open(int32_t *fd);
SN_API int32_t sn_event_signal(int32_t fd);

/*
 * What the fill does with a block: decodes `stored` bytes to `pages` pages. EILSEQ: they are not such a
 * block. And its checksums: of stored bytes (more than 240), and of one page (16 bytes). For tests against
 * the other implementation.
 */
SN_API int32_t sn_block_decode(const void *source, uint64_t stored, uint32_t encoding, uint32_t element,
                               void *target, void *between, uint64_t bytes);
SN_API int32_t sn_block_checksum(const void *bytes, uint64_t length, uint64_t *checksum);
SN_API int32_t sn_block_page_hash(const void *page, uint64_t *hash);

#endif
