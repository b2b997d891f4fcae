/*
 * rig.h: a fault rig below .NET. Preloaded into a program, it stands between the program and libc: it can fail,
 * shorten, delay, tear or kill at the Nth of the file and native calls that the program makes, count them, and
 * record them.
 *
 * File calls are those whose path, or the path of whose descriptor, has the watched prefix. Native calls (memory,
 * threads, futexes) are those that come from the library that is watched, so that the runtime's own go through.
 *
 * By environment:
 *   RIG_PATH     prefix of the paths it is about; RIG_PART instead: any part of the path
 *   RIG_LIBRARY  part of the name of the library whose native calls it is about; default "snapshot_native"
 *   RIG_CALL     the kind of call, as in rig_names; "any" for all kinds of file calls
 *   RIG_NTH      which of them, from 1;  RIG_EACH=1: and each one after it
 *   RIG_ACTION   fail (default), short, delay, tear, kill, kill-after
 *   RIG_VALUE    fail: the errno; delay: microseconds
 *   RIG_RECORD   the file into which calls are recorded (rig_log.c has the format)
 *   RIG_COUNT    the file into which, at the end, one line "kind calls" for each kind is written
 * In the process itself: the functions rig_watch ... rig_mark below.
 */
#ifndef RIG_H
#define RIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum rig_kind {
    RIG_OPEN,
    RIG_CLOSE,
    RIG_READ,
    RIG_WRITE,
    RIG_SYNC,
    RIG_RENAME,
    RIG_UNLINK,
    RIG_TRUNCATE,
    RIG_STAT,
    RIG_LOCK,
    RIG_FCNTL,
    RIG_MKDIR,
    RIG_OPENDIR,
    RIG_READDIR,
    RIG_ALLOCATE,
    RIG_CHANGE_MODE,
    RIG_LINK,
    RIG_ACCESS,
    RIG_FILE_KINDS,
    RIG_MMAP = RIG_FILE_KINDS,
    RIG_MUNMAP,
    RIG_MADVISE,
    RIG_MPROTECT,
    RIG_IOCTL,
    RIG_THREAD,
    RIG_FUTEX,
    RIG_USERFAULT,
    RIG_SYSCALL,
    RIG_KINDS,
    RIG_ANY = RIG_KINDS,
    RIG_MARK,
};

enum rig_action { RIG_NOTHING, RIG_FAIL, RIG_SHORT, RIG_DELAY, RIG_TEAR, RIG_KILL, RIG_KILL_AFTER };

/* One call on its way. */
struct rig_call {
    enum rig_kind kind;
    int fd;
    const char *path;
    const char *path2;
    int64_t offset; /* of data; -1: where the file stands */
    uint64_t argument;
    const struct iovec *parts; /* what is written */
    int part_count;
    size_t length; /* what is to be read or written; less after rig_begin when it is to be short */
    enum rig_action action;
    int error;
    int is_logged;
};

#define RIG_API __attribute__((visibility("default")))

/* For the program: what to watch and what to do. */
RIG_API void rig_watch(const char *prefix);
RIG_API void rig_arm(int32_t kind, int64_t nth, int32_t action, int32_t value, int32_t each);
RIG_API void rig_disarm(void);
RIG_API int64_t rig_hits(void);
RIG_API int64_t rig_count(int32_t kind);
RIG_API void rig_reset_counts(void);
RIG_API const char *rig_name(int32_t kind);
RIG_API void rig_last_path(char *to, int32_t bytes);
RIG_API int32_t rig_record(const char *file);
RIG_API void rig_mark(const char *text);

/* rig_plan.c */
extern long (*rig_raw)(long, ...);
void *rig_real(const char *name);
void rig_load(void);
int rig_is_about(const char *path);
int rig_is_native(const void *caller);
int rig_begin(struct rig_call *call);
long rig_end(struct rig_call *call, long result);

/* rig_paths.c: which descriptor is of which path. */
void rig_paths_set(int fd, const char *path);
int rig_paths_get(int fd, char *to, size_t bytes);
int rig_paths_at(int directory, const char *name, char *to, size_t bytes);

/* rig_log.c */
void rig_log_enter(struct rig_call *call);
void rig_log_leave(struct rig_call *call, long result);

#endif
