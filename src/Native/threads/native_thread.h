/*
 * native_thread.h: threads that run native code and are captured at any instruction.
 *
 * The files, from the bottom up: each calls only what stands before it here.
 *   worker.c                     what the process has of its threads, and which of them is the caller
 *   unwind_table.c, unwind.c     up a stack, by the tables that compilers leave
 *   modules.c, load.c, layout.c  the code that threads may stand in; where fields of structs lie
 *   stop.c                       stopping and going on
 *   entry_calls.c                what entry.S calls
 *   entry.S                      onto a thread's stack and back
 *   question.c, lock.c, heap.c   what a thread asks of the host, arena locks, malloc
 *   section.c                    what a thread says about when it is captured
 *   handler.c                    in the handler of the capture signal
 *   threads.c                    the lives of the threads
 *
 * What a new process needs of a thread is in its record, in an arena: where its stack is, and, while it is
 * parked, where the kernel left its registers. Or it is in sn_blocked_call: its registers are on its stack
 * then, `frame` is
 * 0. What belongs to the process (thread ids, futexes, return addresses that were replaced) is in `struct
 * snt_worker`, which is never captured.
 *
 * This library is linked at a fixed address, since captured stacks hold addresses of its code.
 */
#ifndef SNAPSHOT_NATIVE_THREAD_H
#define SNAPSHOT_NATIVE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#define SNT_API __attribute__((visibility("default")))
#define SN_API SNT_API
#include "snapshot_module.h"

#define SNT_ABI_VERSION 4
#define SNT_THREADS_MAX 1024u
#define SNT_MODULES_MAX 64u
#define SNT_NAME_MAX 64u
#define SNT_HANDLERS_MAX 8u
#define SNT_SIGNAL_STACK_BYTES UINT64_C(65536)
#define SNT_TLS_MAX UINT64_C(4096) /* bytes of thread-locals of all modules together */

/* Where the threads' own stacks are, on which glibc keeps the thread control blocks; not captured. */
#define SNT_HOST_BASE UINT64_C(0x1e0000000000)
#define SNT_HOST_BYTES UINT64_C(131072)

/*
 * Libraries, position-independent programs and compiled managed code are from here on; native modules below.
 */
#define SNT_LIBRARIES UINT64_C(0x550000000000)

/* Where native modules are linked: 128 bases, 16 GiB apart (see snapshot-cc). */
#define SNT_BASES_FIRST UINT64_C(0x180000000000)
#define SNT_BASES_END UINT64_C(0x1a0000000000)

enum {
    SNT_STATE_FREE = 0,
    SNT_STATE_STARTING = 1, /* its function has not begun */
    SNT_STATE_RUNNING = 2,  /* its stack and registers are what it is */
    SNT_STATE_ENDED = 3,    /* its function has returned */
};

/*
 * What a thread asks of the host, in which no captured thread may be: it writes the question, makes it
 * SNT_ASKED and sleeps on `state` until that is SNT_ANSWERED. Part of the record, so that a question that was
 * not answered when memory was captured is answered in the next process. The host does so at a safepoint of
 * its own.
 */
enum {
    SNT_IDLE = 0,
    SNT_ASKED = 1,
    SNT_ANSWERED = 2,
};

enum {
    SNT_ASKS_ALLOCATE = 1, /* bytes, alignment; the answer is the address, or 0: the arena is full */
    SNT_ASKS_FREE = 2,     /* address; the answer is an errno */
    /* address and length of the name; the answer is its address, or 0: there is none */
    SNT_ASKS_ROOT = 3,
    SNT_ASKS_ROOT_BYTES = 4, /* the same; the answer is its length in bytes, or 0 */
    /* address of an arena mutex that this thread holds and others want: to be left for it */
    SNT_ASKS_LEAVE = 5,
    SNT_ASKS_WAKE = 6, /* address of a word, and how many: fibers that wait for it are to look again */
};

struct snt_question {
    uint32_t state;
    uint32_t kind;
    uint64_t arguments[2];
    uint64_t answer;
};

/* See sn_on_checkpoint. */
struct snt_handler {
    uint64_t function;
    uint64_t argument;
};

/* A thread, in an arena; part of images. */
struct snt_record {
    uint64_t state; /* SNT_STATE_*; changed by the thread itself once it runs */
    uint64_t function;
    uint64_t argument;
    uint64_t result;
    uint64_t stack_low; /* of the stack its function runs on */
    uint64_t stack_high;
    uint64_t signal_stack;
    uint64_t frame; /* parked: the ucontext that the kernel wrote to the signal stack; 0: it is not parked */
    uint64_t fs_base;
    uint64_t canary;
    uint64_t pointer_guard;
    int32_t saved_errno;
    uint32_t seat;  /* of the host stack, and of the worker */
    uint32_t owner; /* its id in arena locks; below 2^30 */
    uint32_t reserved;
    struct snt_question question;
    char name[SNT_NAME_MAX];
    unsigned char tls[SNT_TLS_MAX]; /* thread-locals, module by module */
    uint32_t blocked;               /* 1: it is in sn_blocked_call, which a new process calls again */
    uint32_t handler_count;
    uint64_t blocked_rsp; /* on its stack, under the registers that the call is to preserve */
    uint64_t blocked_function;
    uint64_t blocked_argument;
    struct snt_handler handlers[SNT_HANDLERS_MAX]; /* in the order in which they were registered */
};

/* entry.S knows these. */
_Static_assert(offsetof(struct snt_record, function) == 8 && offsetof(struct snt_record, argument) == 16,
               "record");
_Static_assert(offsetof(struct snt_record, result) == 24 && offsetof(struct snt_record, stack_high) == 40,
               "record");
_Static_assert(offsetof(struct snt_record, frame) == 56 && offsetof(struct snt_record, canary) == 72,
               "record");
_Static_assert(offsetof(struct snt_record, pointer_guard) == 80, "record");
_Static_assert(offsetof(struct snt_record, blocked) == 4296, "record");
_Static_assert(offsetof(struct snt_record, blocked_rsp) == 4304, "record");

/* A native module that is loaded: code that a parked thread may stand in. */
struct snt_module {
    uint64_t first; /* its mapping */
    uint64_t end;
    uint64_t tls_offset; /* below the thread control block; 0: none */
    uint64_t tls_bytes;
    uint64_t tls_at; /* where they are kept in snt_record.tls */
};

/* Code in which a thread is never stopped nor made to come back: it reads return addresses, or unwinds. */
struct snt_range {
    uint64_t first;
    uint64_t end;
};

/* ---- for the host: in the order of use ----------------------------------------------------------------- */

/* SNT_ABI_VERSION as built. */
SNT_API uint32_t snt_abi_version(void);

/*
 * Where the fields of structs lie that the host knows, as built; see ../layout.h, which is not needed
 * otherwise.
 */
struct sn_layout;
SNT_API int32_t snt_layouts(const struct sn_layout **layouts, uint64_t *count);

/* Takes the signal (EBUSY: somebody handles it already) and the zone of host stacks (EEXIST). */
SNT_API int32_t snt_open(int32_t signal_number);

/* The file this library was loaded from. */
SNT_API int32_t snt_path(char *text, uint64_t bytes);

/* What a captured thread depends on, beside its code. */
struct snt_environment {
    uint64_t vector_state;     /* XCR0: the parts of the vector state that the kernel saves */
    uint64_t signal_stack_min; /* AT_MINSIGSTKSZ, in bytes; 0: the kernel does not tell */
    int64_t errno_offset;      /* of errno from the thread pointer, in bytes; the same in all threads */
    char libc_version[40];
};

/* ENOTSUP: the processor or the kernel has no xsave. */
SNT_API int32_t snt_environment(struct snt_environment *environment);

/* Of struct snt_record. */
SNT_API uint64_t snt_record_bytes(void);

/*
 * Loads a library and says where it is; *moved is how far from where it was linked. ENOENT: `error` has the
 * dynamic linker's words.
 */
SNT_API int32_t snt_module_load(const char *path, void **handle, struct snt_module *module, uint64_t *moved,
                                char *error, uint64_t error_bytes);

/* The address of a function of it, or NULL. */
SNT_API void *snt_module_symbol(void *handle, const char *name);

/* Which function of which library an address is in, in words. */
SNT_API int32_t snt_describe(uint64_t pc, char *text, uint64_t bytes);

/* A module was loaded. `unsafe`: ranges of its code that unwind or read return addresses; copied. */
SNT_API int32_t snt_module_add(const struct snt_module *module, const struct snt_range *unsafe,
                               uint32_t unsafe_count);

/*
 * In a new process, before any thread is started: the seat of a captured thread is not given to another.
 * EAGAIN: two have the same.
 */
SNT_API int32_t snt_seat_keep(const struct snt_record *record);

/*
 * Starts a thread for a record whose function, argument, stacks, owner and name are set, or, restored, whose
 * state is STARTING or RUNNING. EAGAIN: no seat is free, or not the one that a captured thread had.
 */
SNT_API int32_t snt_thread_start(struct snt_record *record);

/*
 * From snt_hold on, threads that are started wait, all but done, until snt_go. Those that run would take the
 * processor from whoever starts the others. Optional.
 */
SNT_API void snt_hold(void);
SNT_API void snt_go(void);

/* Advanced, and woken as a futex, for each question that is asked. */
SNT_API uint32_t *snt_questions(void);

/* The answer was written: the thread goes on. */
SNT_API void snt_answered(struct snt_record *record);

/* Whether anybody but native threads may wait for a lock without sleeping on its word; until told, nobody. */
SNT_API void snt_fibers_may_wait(int32_t may_wait);

/*
 * != 0: a thread that stops or wakes others takes no real-time priority meanwhile, though it may be
 * permitted.
 */
SNT_API void snt_keep_priorities(int32_t keep);

/*
 * The memory from which malloc of native modules takes, in an arena: new, and zero, or as it was in an image,
 * at the same address. EINVAL: it is too small, or not a heap of this version. Constructors of modules
 * allocate: so a new heap is opened before modules are loaded. In a new process what they allocate is
 * forgotten, their variables being restored after: open scratch memory as a new heap, load, then open the
 * restored one in its place.
 */
SNT_API int32_t snt_heap_open(void *memory, uint64_t bytes, int32_t is_restored);

/* Where the heap was ever in use: from *first up to *end, which are the same while none is open. */
SNT_API void snt_heap_used(uint64_t *first, uint64_t *end);

/* Waits until a thread has ended, and frees its seat. */
SNT_API int32_t snt_thread_join(struct snt_record *record);

/*
 * Stops every thread: all are parked, or in sn_blocked_call, when it returns 0. ETIMEDOUT: some were not in
 * time, all go on, and snt_late tells of the first such thread where it was, and why: SNT_LATE_*, or what the
 * unwinder said. EAGAIN: all go on, since one in a critical section has asked a question, and leaves the
 * section only when that is answered: answer, and stop again. The thread that stops is the one that resumes.
 */
enum {
    SNT_LATE_UNKNOWN = 0, /* it has not taken the signal: starved, or it has blocked it */
    /* EINPROGRESS: in another library or in the kernel; it comes back when that returns */
    SNT_LATE_FOREIGN = 115,
    /* EBUSY: unwinding, in setjmp and the like, or in the handler of another signal */
    SNT_LATE_UNSAFE = 16,
    SNT_LATE_CRITICAL = 11, /* EAGAIN: in a critical section */
    SNT_LATE_REFUSED = 125, /* ECANCELED: a checkpoint handler said not now */
};
SNT_API int32_t snt_stop(int64_t timeout_ns);
SNT_API int32_t snt_late(struct snt_record **record, uint64_t *pc, int32_t *reason);

/* Parked threads go on. */
SNT_API void snt_resume(void);

/* ---- inside -------------------------------------------------------------------------------------------- */

#define HIDDEN __attribute__((visibility("hidden")))

/* Kept: for a captured thread. Open: it takes the signal. */
enum { WORKER_FREE, WORKER_KEPT, WORKER_CLOSED, WORKER_OPEN };

struct snt_worker {
    struct snt_record *record;
    pthread_t thread;
    int32_t tid;
    uint32_t phase;    /* WORKER_* */
    uint64_t host_rsp; /* where its function returns to, on the host stack */
    uint64_t host_canary;
    uint64_t host_guard;
    uint32_t parked;     /* the stop it is parked for */
    uint32_t blocked;    /* it is outside of captured memory, in sn_blocked_call: as good as parked */
    uint32_t sent;       /* a signal is on its way to it, or being handled */
    uint32_t critical;   /* critical sections it is in */
    uint32_t in_handler; /* a checkpoint handler of it runs */
    int32_t reason;      /* why it could not be parked when it was last looked at */
    uint64_t pc;         /* and where it was */
    uint64_t armed_at;   /* where its return address was replaced, or 0 */
    uint64_t armed;      /* by what it was */
};

struct snt_process {
    struct snt_worker workers[SNT_THREADS_MAX];
    struct snt_module modules[SNT_MODULES_MAX];
    struct snt_range unsafe[512];
    uint8_t throws[SNT_MODULES_MAX]; /* the module has an unwinder: exceptions may go through its frames */
    uint32_t module_count;
    uint32_t unsafe_count;
    struct snt_range unsafe_in_modules; /* from the first to the last of those in modules */
    struct snt_range program;           /* the program's code if it is not where libraries are, else empty */
    uint64_t own_first;                 /* this library's mapping */
    uint64_t own_end;
    int32_t signal;
    int32_t pid;
    uint32_t seats;     /* no worker from this one on was ever in use */
    uint32_t wanted;    /* the stop under way, or the last; odd while threads are to be parked */
    uint32_t arrivals;  /* counts parkings, ends and blocked calls */
    uint32_t awaited;   /* that count at which the stopping thread is woken */
    uint32_t complete;  /* what it sleeps on: how often that was so */
    uint32_t late;      /* the seat of the thread that the last stop waited for in vain */
    uint32_t held;      /* futex: 1 while threads that start wait */
    uint32_t questions; /* see snt_questions */
    uint32_t fibers_may_wait;
    int32_t hurries; /* whether the thread that has `starting` does */
    uint32_t keeps_priorities;
    pthread_mutex_t starting;
};

extern HIDDEN struct snt_process snt_process;

/* Of the caller, where glibc keeps its thread control block. */
static inline uint64_t snt_thread_pointer(void)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    return self;
}

/* Whether threads are to be parked. */
static inline int32_t snt_is_wanted(void)
{
    return (__atomic_load_n(&snt_process.wanted, __ATOMIC_SEQ_CST) & 1) != 0;
}

HIDDEN void snt_on_signal(int number, siginfo_t *info, void *context);
HIDDEN void snt_signal(struct snt_worker *worker);
/* NULL: the caller is not a native thread. */
HIDDEN struct snt_worker *snt_worker_of_this_thread(void);
/*
 * Ends the process when a caller that must be a native thread, not in a handler or a blocked call, is none.
 */
HIDDEN struct snt_record *snt_caller(const char *function);
HIDDEN void snt_arrive(void);
HIDDEN void snt_look_again(void);
/*
 * Between the two the caller does not wait for its turn among the threads that it stops or wakes: a real-time
 * priority, if that is permitted (CAP_SYS_NICE, or RLIMIT_RTPRIO) and wanted. With `starting` held.
 */
HIDDEN void snt_hurry(void);
HIDDEN void snt_hurry_no_more(void);
/* Whether code at an address is where it is in every process. */
enum snt_place { SNT_FOREIGN, SNT_FIXED, SNT_THROWS }; /* throws: fixed, and exceptions may go through it */
HIDDEN enum snt_place snt_place_of(uint64_t pc);
HIDDEN int32_t snt_is_unsafe(uint64_t pc);
HIDDEN int32_t snt_find_own(void);
/* What of a thread is neither on its stack nor in its registers, to its record. */
HIDDEN void snt_keep(struct snt_record *record, int32_t saved_errno);
HIDDEN int32_t snt_ask_handlers(struct snt_worker *worker);
HIDDEN void snt_tell_handlers(struct snt_worker *worker, int32_t what);
HIDDEN uint64_t snt_ask(uint32_t kind, uint64_t first, uint64_t second);
HIDDEN _Noreturn void snt_die(const char *function, const char *what);

/* entry.S */
HIDDEN void snt_enter(struct snt_record *record, uint64_t *host_rsp);
HIDDEN void snt_enter_captured(struct snt_record *record, uint64_t *host_rsp);
HIDDEN void snt_enter_blocked(struct snt_record *record, uint64_t *host_rsp);
HIDDEN uint64_t snt_block(struct snt_record *record);
HIDDEN void snt_trampoline(void);
extern HIDDEN const char snt_raised[];
HIDDEN void snt_raise_self(void);
extern HIDDEN const char snt_raised_self[];

/* Called by entry.S. */
struct snt_raise {
    uint64_t process_and_signal;
    uint64_t thread;
};
HIDDEN uint64_t snt_leave(const struct snt_record *record);
HIDDEN struct snt_raise snt_disarm(uint64_t *return_address);
HIDDEN struct snt_raise snt_ids(void);
HIDDEN uint64_t snt_host_stack(struct snt_record *record);
HIDDEN uint64_t snt_run_blocked(struct snt_record *record);

#endif
