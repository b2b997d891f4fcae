/*
 * chaos.h: native modules that do, each kind in its way, what is hard to capture in the middle. However often a thread is
 * captured, killed and continued, the bits of its job are the same at the end.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In an arena. Threads may run the same kind, each with a job of its own. */
struct chaos_job {
    uint64_t kind;   /* below the module's number of kinds */
    uint64_t rounds; /* about a millisecond each; 0: 1000 */
    double sum;      /* the result */
    uint64_t hash;   /* the same */
};

/* libchaos.so. Returns the rounds that were done; 0: there is no such kind. */
uint64_t chaos(struct chaos_job *job);
uint64_t chaos_kinds(void);
const char *chaos_kind_name(uint64_t kind);

/* libchaos_fortran.so: the same. No two threads may run the same kind at once: it has variables of its own (SAVE). */
uint64_t chaos_fortran(struct chaos_job *job);
uint64_t chaos_fortran_kinds(void);

#ifdef __cplusplus
}
#endif

#endif
