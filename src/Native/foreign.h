/* foreign.h: frozen memory that somebody else may free at any time. Internal to the C part. */
#ifndef SNAPSHOT_FOREIGN_H
#define SNAPSHOT_FOREIGN_H

#include <stdint.h>

#include "snapshot_native.h"

/*
 * Copies bytes at an address, on frozen pages of a region whose span is locked; what is not as it was frozen
 * is noted as gone, and 0 returned.
 */
int sn_foreign_read(struct sn_region *region, uint64_t address, uint64_t bytes, void *target);

/* Content that was wanted is lost: whoever reads any of the region is told. The page's span is locked. */
void sn_foreign_lose(struct sn_region *region, uint64_t address);

/*
 * Looks in [start, end) for pages that are protected: stores up to `capacity` runs of them, *count, and how
 * far it came, *walked.
 */
int32_t sn_foreign_protected(const struct sn_region *region, uint64_t start, uint64_t end,
                             struct sn_page_region *runs, uint64_t capacity, uint64_t *count,
                             uint64_t *walked);

#endif
