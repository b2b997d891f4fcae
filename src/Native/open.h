/* open.h: writes to armed memory. Internal to the C part. */
#ifndef SNAPSHOT_OPEN_H
#define SNAPSHOT_OPEN_H

#include <stdint.h>

#include "span.h"
#include "snapshot_native.h"

/* A write to a page waits: copies away what of its span is frozen, and lets the write through. */
void sn_serve_write(struct sn_freezer *freezer, struct sn_region *region, uint64_t page);

#endif
