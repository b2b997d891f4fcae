/* regions.h: which regions there are, for whoever serves writes to them. Internal to the C part. */
#ifndef SNAPSHOT_REGIONS_H
#define SNAPSHOT_REGIONS_H

#include <stdint.h>

#include "snapshot_native.h"

/* A write to the page at an address failed. Opens it if it is a region's; 0: it is somebody else's affair. */
int sn_freezer_serve_at(struct sn_freezer *freezer, uint64_t address);

/* Waits until a count of threads that look at something is zero. */
void sn_wait_until_zero(const uint32_t *inside);

#endif
