/*
 * snapshot.h: checkpoints and restarts of programs in C and C++, whose main is their own.
 *
 * A program opens a session with a store, a directory. Its arrays live in an arena, memory at a fixed
 * address. A checkpoint writes what changed in them since the last one as a generation of the store, while
 * the program computes on. When the program is started again it finds its arrays at the same addresses, as
 * they were at the newest generation.
 *
 *     snapshot_session *session;
 *     if (snapshot_open("heat.store", NULL, &session) != 0) die(snapshot_error());
 *     int64_t *step = snapshot_array(session, "step", "i64", 1);
 *     double *field = snapshot_array(session, "field", "f64", cells);
 *     if (snapshot_generation(session) == 0) initialise(field);
 *     for (; *step < steps; ++*step) {
 *         if (*step % 100 == 0) snapshot_checkpoint(session, NULL, NULL);
 *         sweep(field);
 *     }
 *     snapshot_close(session);
 *
 * Results: functions that return int or int64_t return 0 or more when they did what they say, and else a
 * negated code of snapshot_code; those that return a pointer return NULL. snapshot_error() then says what
 * went wrong, where, and what to do. Nothing was changed, unless the text says otherwise.
 *
 * Text is UTF-8. Names have 1 to 255 bytes. Sizes are in bytes, times in seconds. A structure of options
 * begins with its own size: begin with its initialiser, such as SNAPSHOT_OPTIONS, and set what differs; zero
 * is the default of all that is not named there.
 *
 * Threads: any thread may call any function, unless it is said of the function. What a thread writes to
 * arrays while another one takes a checkpoint is captured only at that thread's safepoints: see
 * snapshot_attach. Programs that ask for checkpoints where one thread runs, as between OpenMP regions, need
 * none of that.
 *
 * fork: in the child all functions but snapshot_close return SNAPSHOT_FORKED. It keeps the arrays as plain
 * memory, and never touches the store.
 *
 * Not from signal handlers, and not out of a call by longjmp or an exception.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_HEADER_VERSION 1 /* grows with what is declared here */

#if defined(__GNUC__)
#define SNAPSHOT_API __attribute__((visibility("default")))
#define SNAPSHOT_LIKELY_ZERO(x) (__builtin_expect((x) != 0, 0))
#else
#define SNAPSHOT_API
#define SNAPSHOT_LIKELY_ZERO(x) ((x) != 0)
#endif

/* An exception must not leave a function that the library calls. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define SNAPSHOT_CALLBACK noexcept
#else
#define SNAPSHOT_CALLBACK
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapshot_session snapshot_session;
typedef struct snapshot_ticket snapshot_ticket;
typedef struct snapshot_store snapshot_store;
typedef struct snapshot_range snapshot_range;

/* ---- errors -------------------------------------------------------------------------------------------- */

/* What went wrong, as a program tells it apart; those below 100 are the codes of the .NET library. */
enum snapshot_code {
    SNAPSHOT_NATIVE_LIBRARY = 1,      /* the library is damaged, or of parts that do not belong together */
    SNAPSHOT_UNSUPPORTED = 2,         /* the machine, or another option, rules out what was asked for */
    SNAPSHOT_SYSTEM_CALL = 3,         /* a system call failed */
    SNAPSHOT_ADDRESS_TAKEN = 4,       /* addresses that an arena needs are taken */
    SNAPSHOT_ARENA_FULL = 5,          /* the arena has no room */
    SNAPSHOT_NAME_TAKEN = 6,          /* there is something of that name already */
    SNAPSHOT_LAYOUT_MISMATCH = 7,     /* layout, length or capacity differ from what exists under that name */
    SNAPSHOT_BUSY = 8,                /* a checkpoint is running, or a lock is held */
    SNAPSHOT_ABORTED = 9,             /* a handler aborted the checkpoint */
    SNAPSHOT_TIMED_OUT = 10,          /* the time of a checkpoint passed before everybody had come */
    SNAPSHOT_HANDLER_FAILED = 11,     /* a handler failed */
    SNAPSHOT_SELF_DEADLOCK = 12,      /* a thread waits for a checkpoint that cannot happen while it waits */
    SNAPSHOT_STAGING_FULL = 13,       /* the memory for copies of changed pages is used up */
    SNAPSHOT_NOT_FOUND = 14,          /* a store, generation, region or name does not exist */
    SNAPSHOT_STORE_NOT_EMPTY = 15,    /* a fresh start was asked for in a store that holds generations */
    SNAPSHOT_STORE_BUSY = 16,         /* somebody else writes the store */
    SNAPSHOT_STORE_IO = 17,           /* reading, writing or syncing a file failed */
    SNAPSHOT_CORRUPT = 18,            /* bytes of the store are not what was written */
    SNAPSHOT_UNSUPPORTED_FORMAT = 19, /* a file is of a format that this library does not read */
    SNAPSHOT_CHAIN_BROKEN = 20,       /* an image needs one that is missing */
    SNAPSHOT_OUTCOME_UNKNOWN = 21,    /* a commit failed, and may be durable: open the store to find out */
    SNAPSHOT_RESTART_FAILED = 22,     /* a restart failed after the session had begun */
    SNAPSHOT_FIBER_MISMATCH = 23,     /* the image has fibers, which only a .NET program resumes */
    SNAPSHOT_FIBER_FAILED = 24,       /* of .NET programs */
    SNAPSHOT_NATIVE_MODULE = 25,      /* the image has native modules that cannot be used here */
    SNAPSHOT_UNTRUSTED = 26,          /* others may change a directory or file of the store */
    SNAPSHOT_LIMIT_REACHED = 27,      /* there are as many of something as there can be */
    SNAPSHOT_UNCLAIMED = 28,          /* the image has buffers that the program has not protected yet */
    SNAPSHOT_GATE_TIMEOUT = 29,       /* of .NET programs */
    SNAPSHOT_INVALID_SETTING = 30,    /* an environment variable has a value that is not known */
    SNAPSHOT_MEMORY_GONE = 31,        /* protected memory is not mapped, or cannot be read */
    SNAPSHOT_MPI = 32,                /* a call of MPI failed */
    SNAPSHOT_RANK_FAILED = 33,        /* another rank of the job could not do its part */
    SNAPSHOT_OUT_OF_STEP = 34,        /* ranks did not call the same at the same step */
    SNAPSHOT_OPEN_MESSAGE = 35,       /* a message between ranks was not received at a capture */

    SNAPSHOT_INVALID_ARGUMENT = 101, /* an argument is not what the function takes */
    SNAPSHOT_MISUSE = 102,           /* not in this state, or not on this thread */
    SNAPSHOT_CANCELLED = 103,        /* the checkpoint was cancelled, or the session closed */
    SNAPSHOT_FORKED = 104,           /* the process is a forked child of the one that opened the session */
    SNAPSHOT_OUT_OF_MEMORY = 105,    /* the process has no memory for what the library does */
    SNAPSHOT_INTERNAL = 106          /* a defect of the library; the text has what its makers need */
};

/* What the last call on this thread that failed says; "" if none did. Valid until the thread's next call. */
SNAPSHOT_API const char *snapshot_error(void);

/* Its code, not negated; 0 if none failed. */
SNAPSHOT_API int snapshot_error_code(void);

/* The name of a code, negated or not, such as "STORE_BUSY"; "?" of others. */
SNAPSHOT_API const char *snapshot_code_name(int code);

/* The version of the library, such as "0.1.0". */
SNAPSHOT_API const char *snapshot_version(void);

/* ---- sessions ------------------------------------------------------------------------------------------ */

enum snapshot_start {
    SNAPSHOT_CONTINUE = 0,   /* from the newest generation, or fresh when there is none */
    SNAPSHOT_START_OVER = 1, /* fresh; the generations that the store has stay until retention removes them */
    SNAPSHOT_RESTART = 2     /* from a generation; NOT_FOUND when there is none */
};

enum snapshot_option_flags {
    SNAPSHOT_LAZY = 1,           /* memory comes when it is touched, and in the background: starts at once */
    SNAPSHOT_ALLOW_OLDER = 2,    /* go on from an older generation when the wanted one is damaged */
    SNAPSHOT_UNMAP_ON_CLOSE = 4, /* arrays are gone after snapshot_close, so that it may be opened again */
    SNAPSHOT_ALLOW_UNLOCKED = 8, /* go on where the file system has no locks */
    /* refuse what makes system calls on arrays fail without privilege, such as messages of MPI; not lazy */
    SNAPSHOT_SYSTEM_CALLS_MUST_WORK = 16
};

typedef struct snapshot_options {
    size_t size;           /* of this structure */
    int start;             /* of snapshot_start */
    unsigned flags;        /* of snapshot_option_flags */
    int64_t generation;    /* to restart from; 0: the newest */
    const char *tag;       /* restart from the newest generation with this tag; NULL: of any */
    int64_t capacity;      /* address space of the arena in bytes; 0: 64 GiB, or what it may have */
    int64_t staging_limit; /* bytes of memory for copies of changed pages; 0: half of what there is */
    int encoders;          /* threads that compress; 0: half of the processors */
    int keep;              /* generations that are kept; 0: 2 */
    double timeout;        /* time for all threads to come to a safepoint; 0: 60 seconds */
    double interval;       /* snapshot_due: time from one checkpoint to the next; 0: none */
    double time_limit;     /* snapshot_due: time that the job may run, from snapshot_open on; 0: no limit */
    double time_margin;    /* snapshot_due: how long before the limit; 0: a minute */
    const char *signals;   /* snapshot_due: signals that ask for one, such as "USR1,TERM"; NULL: none */
    int64_t window_bytes;  /* size of the windows that the addresses of arenas are cut into; 0: none */
    int64_t window;        /* where the arena is made: another for each rank that may share a process */
} snapshot_options;

#define SNAPSHOT_OPTIONS \
    { \
        sizeof(snapshot_options), 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0 \
    }

/*
 * Opens a session with a store; the directory is made when it is missing. Restarts from the newest
 * generation, or as options say; options may be NULL. After MPI_Init, where there is MPI. Waits some seconds
 * for a process that has just been killed to let the store go.
 */
SNAPSHOT_API int snapshot_open(const char *store, const snapshot_options *options,
                               snapshot_session **session);

/* The generation that the session restarted from; 0: it began fresh. */
SNAPSHOT_API int64_t snapshot_generation(const snapshot_session *session);

/* Its tag, valid as long as the session is open; "" where it had none. */
SNAPSHOT_API const char *snapshot_tag(const snapshot_session *session);

/*
 * Waits until the last checkpoint is durable, and closes the session. Threads detach first. Arrays stay
 * mapped until the process ends, but are not in any image any more. An error of a checkpoint for which nobody
 * waited is returned here; the session is closed all the same. NULL is closed already.
 */
SNAPSHOT_API int snapshot_close(snapshot_session *session);

/* ---- memory of the arena ------------------------------------------------------------------------------- */

/*
 * The array of that name: found as it was, or made with zeros, 64-byte aligned. The layout of an element is
 * stored and compared: "i8" to "i64", "u8" to "u64", "f32", "f64", the complex "c64" and "c128", or
 * "struct:SIZE:NAME" of a structure, whose name changes when its fields do. Arrays have the same layouts as
 * roots of .NET programs. LAYOUT_MISMATCH: it exists with another layout or count.
 */
SNAPSHOT_API void *snapshot_array(snapshot_session *session, const char *name, const char *layout,
                                  int64_t count);

/* The number of elements of the array of that name; 0 also where there is none: *memory is NULL then. */
SNAPSHOT_API int64_t snapshot_find_array(snapshot_session *session, const char *name, const char *layout,
                                         void **memory);

/* Frees the array of that name. NOT_FOUND. */
SNAPSHOT_API int snapshot_remove_array(snapshot_session *session, const char *name);

/* Memory without a name, zeroed, for what arrays point to. The alignment is a power of two; 0: 16. */
SNAPSHOT_API void *snapshot_allocate(snapshot_session *session, int64_t bytes, int64_t alignment);
SNAPSHOT_API int snapshot_free(snapshot_session *session, void *memory); /* NULL does nothing */

/*
 * Leaves the whole pages of a range out of images: scratch, which reads as zero after a restart. Returns the
 * bytes that are left out now. snapshot_include takes them in again, and returns how many.
 */
SNAPSHOT_API int64_t snapshot_exclude(snapshot_session *session, void *memory, int64_t bytes);
SNAPSHOT_API int64_t snapshot_include(snapshot_session *session, void *memory, int64_t bytes);

/*
 * Opens memory of the arena for those who pin pages first and write them later, which no page table shows: a
 * network card or io_uring with registered memory, a GPU, another process (MPI_Put). Open it before it is
 * registered; close it after the last write, and before it is freed. While it is open its pages, which are
 * whole, are copied in each checkpoint while threads are stopped, so open buffers and not the state. An image
 * is right if nobody writes while threads are stopped; no write is lost to later images in any case. Ranges
 * may overlap. After a restart the program opens them again. Of memory of the program SNAPSHOT_ALWAYS_HASH
 * says the same. Any thread, at any time. INVALID_ARGUMENT: not memory of the arena.
 */
SNAPSHOT_API int snapshot_open_for_devices(snapshot_session *session, void *memory, int64_t bytes,
                                           snapshot_range **range);
SNAPSHOT_API int snapshot_close_range(snapshot_range *range); /* also after the session; NULL does nothing */

/* ---- memory of the program ----------------------------------------------------------------------------- */

enum snapshot_protect_flags {
    SNAPSHOT_FILL_LATER = 1, /* leave its content until snapshot_fill */
    SNAPSHOT_ALWAYS_HASH = 2 /* a device, or another process, may write it: look at all of it each time */
};

/*
 * Makes memory of the program, such as of malloc, part of the images, and fills it with what the generation
 * has that was restarted from. Its address may differ from run to run, its length must not: LAYOUT_MISMATCH.
 * Pointers in it are the program's matter. Nobody else writes it until this returns. Changed pages are found
 * by the kernel where it can tell, else by comparing all of it. Most are copied while threads are stopped;
 * of memory in huge pages they are written out while threads compute.
 *
 * Before it is freed, or moved by realloc, it is unprotected. A checkpoint that finds nothing mapped there,
 * or is being written when it goes, fails: MEMORY_GONE.
 */
SNAPSHOT_API int snapshot_protect(snapshot_session *session, const char *name, void *memory, int64_t bytes,
                                  unsigned flags);

/* Fills it now: 1, or 0 where the generation had none of that name, or it is filled already. */
SNAPSHOT_API int snapshot_fill(snapshot_session *session, const char *name);

/*
 * From now on it is in no image, and may be freed; its name may be given to other memory. Also of memory that
 * the generation has which was restarted from, and this program does not need: else checkpoints are refused
 * (UNCLAIMED). NOT_FOUND.
 */
SNAPSHOT_API int snapshot_unprotect(snapshot_session *session, const char *name);

/* ---- checkpoints --------------------------------------------------------------------------------------- */

enum snapshot_request_flags {
    SNAPSHOT_SKIP_IF_BUSY = 1,  /* BUSY while another checkpoint is being written, instead of waiting */
    SNAPSHOT_RETURN_AT_ONCE = 2 /* return when it is asked for; memory changes until it is captured */
};

enum snapshot_stage {
    SNAPSHOT_STAGE_WAITING = 0,   /* for critical sections to end */
    SNAPSHOT_STAGE_PREPARING = 1, /* handlers prepare */
    SNAPSHOT_STAGE_STOPPING = 2,  /* threads are being stopped */
    SNAPSHOT_STAGE_DRAINING = 3,  /* the image is being written */
    SNAPSHOT_STAGE_COMMITTING = 4 /* the image is being made durable */
};

typedef struct snapshot_request {
    size_t size;     /* of this structure */
    unsigned flags;  /* of snapshot_request_flags */
    double timeout;  /* as in snapshot_options; 0: as there */
    const char *tag; /* recorded with the generation, such as its step; NULL: none */
    /* Is told how far it is, on a thread of the library; must not call it. NULL: none. */
    void (*progress)(void *argument, int stage, int64_t pages_done, int64_t pages_total) SNAPSHOT_CALLBACK;
    void *argument;
} snapshot_request;

#define SNAPSHOT_REQUEST \
    { \
        sizeof(snapshot_request), 0, 0.0, 0, 0, 0 \
    }

/*
 * Takes a checkpoint. Returns when memory is captured: the caller may write it again, while the image is
 * written and made durable in the background. An attached thread takes part while it waits. If an earlier
 * checkpoint is still being written, waits for that first.
 *
 * request may be NULL. With a ticket the caller can wait until it is durable, and must. Without one an error
 * after the capture is returned by the next call of snapshot_checkpoint, whose own checkpoint was taken all
 * the same, or by snapshot_close.
 */
SNAPSHOT_API int snapshot_checkpoint(snapshot_session *session, const snapshot_request *request,
                                     snapshot_ticket **ticket);

/* Waits until it is durable, and frees the ticket. *generation, unless NULL, is its generation. */
SNAPSHOT_API int snapshot_wait(snapshot_ticket *ticket, int64_t *generation);

/* Waits until memory is captured, and keeps the ticket. */
SNAPSHOT_API int snapshot_wait_captured(snapshot_ticket *ticket);

/* Whether snapshot_wait would return at once: 1, or 0. */
SNAPSHOT_API int snapshot_is_done(snapshot_ticket *ticket);

/* Gives it up, if its commit has not begun; no generation appears. The ticket is waited for all the same. */
SNAPSHOT_API int snapshot_cancel(snapshot_ticket *ticket);

enum snapshot_due_bits {
    SNAPSHOT_DUE_INTERVAL = 1, /* the interval has passed since the last checkpoint */
    SNAPSHOT_DUE_SIGNAL = 2,   /* one of the signals has come */
    SNAPSHOT_DUE_LIMIT = 4     /* the time of the job is about to end: once */
};

/*
 * Whether a checkpoint is due, by the options of the session: bits of snapshot_due_bits, 0: no. A signal and
 * the limit are told once. Cheap enough for each step. Signals are the process's: of several sessions one is
 * told of each.
 */
SNAPSHOT_API int snapshot_due(snapshot_session *session);

/* The signal that snapshot_due told last, for programs that end after some; 0: none. */
SNAPSHOT_API int snapshot_last_signal(snapshot_session *session);

/* ---- threads ------------------------------------------------------------------------------------------- */

/* A thread that takes part in checkpoints. Only that thread uses it. */
typedef struct snapshot_participant {
    const volatile uint32_t *stop; /* for snapshot_poll alone */
} snapshot_participant;

/*
 * Makes the calling thread a participant: a checkpoint then waits until it comes to a safepoint
 * (snapshot_poll, a wait for an arena lock, the ends of critical and blocked sections). The name is unique
 * among the attached; after a restart it stands for the same one, with the locks that it held.
 */
SNAPSHOT_API int snapshot_attach(snapshot_session *session, const char *name,
                                 snapshot_participant **participant);

/* The last thing that a participant does. A thread that ends without it is noticed at the next checkpoint. */
SNAPSHOT_API int snapshot_detach(snapshot_participant *participant);

SNAPSHOT_API int snapshot_poll_slow(snapshot_participant *participant);

/* A safepoint: one load and one compare if nothing is pending. Not 0: the session cannot go on. */
static inline int snapshot_poll(snapshot_participant *participant)
{
    return SNAPSHOT_LIKELY_ZERO(*participant->stop) ? snapshot_poll_slow(participant) : 0;
}

/* No checkpoint takes place between the two; entering the outermost one waits for one that is pending. */
SNAPSHOT_API int snapshot_enter_critical(snapshot_participant *participant);
SNAPSHOT_API int snapshot_exit_critical(snapshot_participant *participant);

/*
 * Between the two the thread counts as stopped: checkpoints take place as if it were not there, as while it
 * waits for a message. It touches no arrays inside. `what`, or NULL, is told by errors of others.
 */
SNAPSHOT_API int snapshot_enter_blocked(snapshot_participant *participant, const char *what);
SNAPSHOT_API int snapshot_exit_blocked(snapshot_participant *participant);

/* ---- handlers ------------------------------------------------------------------------------------------ */

enum snapshot_outcome_kind {
    SNAPSHOT_CONTINUED = 1,   /* memory was captured */
    SNAPSHOT_RESTARTED = 2,   /* the process goes on from an image */
    SNAPSHOT_NOT_CAPTURED = 3 /* the checkpoint was aborted */
};

typedef struct snapshot_outcome {
    int kind;           /* of snapshot_outcome_kind */
    int abort_code;     /* what the handler returned that aborted it, else 0 */
    int64_t generation; /* that was captured, was to be captured, or was restarted from */
} snapshot_outcome;

/* Code around a checkpoint; each may be NULL. None may let an exception out, or call snapshot_checkpoint. */
typedef struct snapshot_handler {
    size_t size; /* of this structure */
    /* Before memory is captured. Not 0: aborts the checkpoint with that code. */
    int (*prepare)(void *argument, int64_t generation) SNAPSHOT_CALLBACK;
    /* After memory was captured, after it was aborted, or after a restart. */
    void (*resume)(void *argument, const snapshot_outcome *outcome) SNAPSHOT_CALLBACK;
    /* When the generation is durable: delete files and send replies here, and not before. */
    void (*committed)(void *argument, int64_t generation) SNAPSHOT_CALLBACK;
} snapshot_handler;

#define SNAPSHOT_HANDLER \
    { \
        sizeof(snapshot_handler), 0, 0, 0 \
    }

/*
 * Registers a handler, under a name by which the next process registers it again; then it is told RESTARTED.
 * With a session it runs on a thread of the library, its prepare part and what follows a restart while the
 * program computes. With a participant it runs on that thread, once it has stopped; it is told RESTARTED
 * before this returns.
 */
SNAPSHOT_API int snapshot_on_checkpoint(snapshot_session *session, const char *name,
                                        const snapshot_handler *handler, void *argument);
SNAPSHOT_API int snapshot_on_stop(snapshot_participant *participant, const char *name,
                                  const snapshot_handler *handler, void *argument);

/* NOT_FOUND. What it was is not called any more when this returns. */
SNAPSHOT_API int snapshot_remove_handler(snapshot_session *session, const char *name);
SNAPSHOT_API int snapshot_remove_stop_handler(snapshot_participant *participant, const char *name);

/* ---- locks in arenas ----------------------------------------------------------------------------------- */

/*
 * They live in arrays, are the same as those of .NET programs, and survive a restart: held before, held
 * after, by the participant of the same name. Zeroed memory is a free mutex and a free reader-writer lock;
 * the others are initialised once, by who finds the session fresh. For participants; they are never copied.
 * Who waits is at a safepoint. try: BUSY.
 */
typedef struct snapshot_mutex {
    uint32_t word;
} snapshot_mutex;

SNAPSHOT_API int snapshot_mutex_lock(snapshot_mutex *mutex); /* MISUSE: the caller holds it */
SNAPSHOT_API int snapshot_mutex_try_lock(snapshot_mutex *mutex);
SNAPSHOT_API int snapshot_mutex_unlock(snapshot_mutex *mutex);
SNAPSHOT_API int snapshot_mutex_is_held(const snapshot_mutex *mutex); /* by the caller: 1, or 0 */

typedef struct snapshot_barrier {
    uint64_t state;
    int32_t participants;
    int32_t reserved;
    uint64_t records[1024];
} snapshot_barrier;

SNAPSHOT_API int snapshot_barrier_init(snapshot_barrier *barrier, int participants);
/* Waits until all have come; 1 in one of them, the last to come, and 0 in the others. */
SNAPSHOT_API int snapshot_barrier_wait(snapshot_barrier *barrier);

typedef struct snapshot_semaphore {
    uint32_t word;
} snapshot_semaphore;

SNAPSHOT_API int snapshot_semaphore_init(snapshot_semaphore *semaphore, int count);
SNAPSHOT_API int snapshot_semaphore_wait(snapshot_semaphore *semaphore);
SNAPSHOT_API int snapshot_semaphore_try_wait(snapshot_semaphore *semaphore);
SNAPSHOT_API int snapshot_semaphore_release(snapshot_semaphore *semaphore, int count);

typedef struct snapshot_rwlock {
    uint32_t word;
    int32_t writer;
} snapshot_rwlock;

SNAPSHOT_API int snapshot_rwlock_lock_read(snapshot_rwlock *lock);
SNAPSHOT_API int snapshot_rwlock_unlock_read(snapshot_rwlock *lock);
SNAPSHOT_API int snapshot_rwlock_lock_write(snapshot_rwlock *lock);
SNAPSHOT_API int snapshot_rwlock_unlock_write(snapshot_rwlock *lock);

/* ---- stores, without a session ------------------------------------------------------------------------- */

typedef struct snapshot_generation_info {
    int64_t generation;
    int64_t parent;  /* that it is an increment of; 0: it is full */
    int64_t created; /* seconds since 1970 */
    int64_t bytes;   /* of its file */
    const char *tag; /* valid until the store is closed; "" where it has none */
} snapshot_generation_info;

/* Opens a store for reading, also while a session writes it: it is as it was at this moment. */
SNAPSHOT_API int snapshot_store_open(const char *directory, snapshot_store **store);
SNAPSHOT_API int snapshot_store_close(snapshot_store *store);

/* Fills in up to `room` generations, oldest first; returns how many there are. */
SNAPSHOT_API int64_t snapshot_store_list(snapshot_store *store, snapshot_generation_info *generations,
                                         int64_t room);

/* The length of a region: of an array of the arena as "main/NAME", or of protected memory by its name. */
SNAPSHOT_API int64_t snapshot_store_size(snapshot_store *store, int64_t generation, const char *region);

/* Reads from it, nothing else of the image. */
SNAPSHOT_API int snapshot_store_read(snapshot_store *store, int64_t generation, const char *region,
                                     int64_t offset, void *buffer, int64_t bytes);

#ifdef __cplusplus
}
#endif

#endif
