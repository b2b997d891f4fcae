/* slots.h: memory for copies of frozen pages, taken and returned. Internal to the C part. */
#ifndef SNAPSHOT_SLOTS_H
#define SNAPSHOT_SLOTS_H

#include <stdint.h>

#include "snapshot_native.h"

#define NO_SLOT UINT32_MAX

/* An extent of slots, SN_EXTENT_*: its first slot, or NO_SLOT. */
uint32_t sn_slots_take(struct sn_slots *slots, uint32_t extent);

/* The same of a span, if there is one that has memory already. */
uint32_t sn_slots_take_warm(struct sn_slots *slots);

/* A span was copied, to fresh memory or not, and took so long. */
void sn_slots_learn(struct sn_slots *slots, int is_fresh, uint64_t copy_ns);

/*
 * How long to wait for a span's extent to be returned rather than to take fresh memory, in ns, for who
 * waited so long for it already; 0: not at all, as long as it is not known what either costs.
 */
uint64_t sn_slots_patience(const struct sn_slots *slots, uint64_t waited_ns);

/* Somebody waited so long for that. */
void sn_slots_waited(struct sn_slots *slots, uint64_t ns);

/* Whether a copy to fresh memory takes more than twice as long. */
int sn_slots_fresh_is_dear(const struct sn_slots *slots);

/*
 * An extent of 16 behind the limit, for a write that must not wait any longer; NO_SLOT when these, too, are
 * used up.
 */
uint32_t sn_slots_take_needed(struct sn_slots *slots);

/* Returns an extent. */
void sn_slots_put(struct sn_slots *slots, uint32_t first, uint32_t extent);

/* Something was read, and where it helps somebody who waits for a slot, everybody who waits looks again. */
void sn_slots_changed(struct sn_slots *slots, int helps);

/* Where nothing was read or returned for so long the drain stands still. */
#define SN_STILL_NS UINT64_C(50000000)

/* Waits until something changes after `seen`, for so long, SN_STILL_NS at most; 0: nothing did. */
int sn_slots_wait(struct sn_slots *slots, uint32_t seen, uint64_t most_ns);

#endif
