/*
 * protect.h: write protection of pages: by a userfaultfd, or, where a freezer is SN_BY_SIGNALS, by mprotect.
 * Internal to the C part.
 */
#ifndef SNAPSHOT_PROTECT_H
#define SNAPSHOT_PROTECT_H

#include <stdint.h>

#include "snapshot_native.h"

static inline int sn_is_by_signals(const struct sn_freezer *freezer)
{
    return freezer->uffd == SN_BY_SIGNALS;
}

/* Sets (on != 0) or clears it, by either. */
int32_t sn_protect(const struct sn_freezer *freezer, uint64_t address, uint64_t bytes, int32_t on);

/*
 * Clears it by userfaultfd, which wakes whoever waits. A failure means that the memory is gone, or is not
 * registered any more: whoever waits finds that out by trying again.
 */
void sn_unprotect(const struct sn_freezer *freezer, uint64_t address, uint64_t bytes);

/* The same as sn_protect by mprotect. */
int32_t sn_signal_protect(uint64_t address, uint64_t bytes, int32_t on);

/* Whether the page at an address can be written now; the kernel is asked. */
int sn_is_writable(uint64_t address);

#endif
