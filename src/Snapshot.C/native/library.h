/*
 * library.h: what the C part of the library for C programs has beside snapshot.h. Functions named sn_managed_
 * are C#'s (Exports); none of these is seen by programs.
 *
 * Whatever a program may call before it has a handle is C: it starts the runtime of .NET, and that must not
 * be seen (start.c).
 */
#ifndef SNAPSHOT_LIBRARY_H
#define SNAPSHOT_LIBRARY_H

#include "../include/snapshot_job.h"

/* C#'s side of snapshot_open, snapshot_store_open and snapshot_job_open_with. */
int sn_managed_open(const char *store, const snapshot_options *options, snapshot_session **session);
int sn_managed_store_open(const char *directory, snapshot_store **store);
int sn_managed_job_open(const struct snm_calls *calls, int32_t communicator, const char *directory,
                        const snapshot_job_options *options, snapshot_job **job);

/* Starts the runtime, and lets nobody see it. */
void sn_managed_start(void);

/* In the parent, before a fork: memory that has not come yet would be missing in the child. */
void sn_managed_before_fork(void);

/* Says what went wrong on this thread, in at most `bytes` bytes of UTF-8, which need not end with 0. */
void sn_error_set(int32_t code, const char *text, int32_t bytes);

/* Writes a line to the standard error stream, for what takes long before it can be an error. */
void sn_say(const char *text, int32_t bytes);

/* Not 0 in a forked child of a process that had started the runtime. */
int32_t sn_is_forked_child(void);

/*
 * Lets a signal count as a request for a checkpoint; what the program had installed for it runs as well.
 * Returns 0 or an errno value. sn_signal_take gives the one that came last, and forgets it; 0: none came.
 */
int32_t sn_signal_watch(int32_t number);
int32_t sn_signal_take(void);

/*
 * The signal by which the runtime stops its threads for a collection. Returns 0 while it is the runtime's,
 * else its number; *handler is then what took it, if it is a function.
 */
int32_t sn_runtime_signal_taken(void **handler);

/* Fills in the name of the object and the symbol that hold an address, as far as they are known. */
void sn_describe_address(const void *address, char *text, int32_t bytes);

#endif
