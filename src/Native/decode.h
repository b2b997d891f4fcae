/*
 * decode.h: what an image stores, read without any managed code: checksums, LZ4, shuffles and differences.
 * Internal to the C part. docs/FORMAT.md says what each is; src/Snapshot/Image is the other implementation,
 * and tests hold the two together.
 */
#ifndef SNAPSHOT_DECODE_H
#define SNAPSHOT_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot_native.h"

/* XXH3-64 with seed 0 of more than 240 bytes. */
uint64_t sn_checksum(const void *bytes, size_t length);

#define IMAGE_BLOCK_PAGES 64u /* of an image's block, at most */

/* XXH3-128 with seed 0 of one page: low half, high half. Never zero, which stands for "unknown". */
void sn_page_hash(const void *page, uint64_t hash[2]);

/*
 * The checksum of pages that are stored plain: that of their hashes, which it leaves behind, with zeros up to
 * 64.
 */
uint64_t sn_pages_checksum(const uint8_t *pages, uint32_t count, uint64_t hashes[2 * IMAGE_BLOCK_PAGES]);

/* For tests: != 0: both of these as on a machine without AVX2. */
void sn_decode_only_pairs(int on);

/*
 * Decodes one LZ4 block; returns the decoded length, or -1 when the input is not one or its content does not
 * fit. Reads and writes nothing outside the two ranges, whatever the input.
 */
int64_t sn_lz4_decode(const uint8_t *source, size_t length, uint8_t *target, size_t capacity);

/* Undoes the byte shuffle. `element` is 2, 4, 8 or 16 and `length` a multiple of 16 elements. */
void sn_unshuffle(const uint8_t *source, uint8_t *target, size_t length, size_t element);

/* Makes elements of their differences, in place. `element` is 4 or 8. */
void sn_undo_difference(uint8_t *bytes, size_t length, size_t element);

#endif
