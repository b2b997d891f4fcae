/*
 * invariant.h: what must hold, asserted in release builds, too, at places where a comparison or two cost
 * nothing beside what is done there. Whatever breaks one ends the process with a line that names it: its
 * memory, or the image that is being made of it, is wrong already. Safe in signal handlers. Internal to the C
 * part; the runtime of native threads uses it, too.
 */
#ifndef SNAPSHOT_INVARIANT_H
#define SNAPSHOT_INVARIANT_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `what` holds where `condition` is true. The comment beside each use says what breaks otherwise. */
#define SN_INVARIANT(condition, what) \
    do { \
        if (__builtin_expect(!(condition), 0)) \
            sn_invariant_broken(__func__, what); \
    } while (0)

__attribute__((cold, noinline, noreturn, unused)) static void sn_invariant_broken(const char *where,
                                                                                  const char *what)
{
    const char *const parts[] = {"Snapshot: broken invariant in ", where, ": ", what,
                                 ". The process ends here, since what it goes on to save would be wrong.\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ssize_t written = write(STDERR_FILENO, parts[i], strlen(parts[i]));
        (void)written;
    }
    abort();
}

#endif
