/*
 * snapshot_module.h: what code in a native module may call, in C and C++; in Fortran by snapshot_module.f90.
 *
 * A native thread runs a function of a native module, which the command snapshot-cc builds. Snapshot starts
 * it as a thread of its own, a native thread, on a stack in an arena. The thread is captured at whatever
 * instruction it is, and goes on from there in the next process: its stack, its registers, its thread-locals,
 * and the module's variables are what they were. It need not do anything for that. What it must not do: keep
 * what belongs to one process (descriptors, process ids, pointers into other libraries) across an instruction
 * at which it may be captured.
 *
 * Errors are errno values, returned. What is passed wrongly where nothing can be returned ends the process by
 * abort(), with a line on the standard error stream. Unless said, functions are for native threads; all are
 * thread-safe.
 */
#ifndef SNAPSHOT_MODULE_H
#define SNAPSHOT_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SN_API
#define SN_API
#endif

/* ---- memory -------------------------------------------------------------------------------------------- */

/*
 * The heap of the native threads, in an arena, captured with it: pointers stay valid in the next process.
 * malloc, new and ALLOCATE of a module come here by the shim. As in <stdlib.h>: NULL and errno ENOMEM when it
 * is full. Freeing what is not an allocation of this heap, or is free, ends the process. A thread may be
 * captured inside, also while it holds a lock. For any thread of the process.
 */
SN_API void *sn_malloc(size_t bytes);
SN_API void *sn_calloc(size_t count, size_t bytes);
SN_API void *sn_realloc(void *memory, size_t bytes);
SN_API void *sn_aligned_alloc(size_t alignment, size_t bytes); /* a power of two, else NULL and EINVAL */
SN_API void sn_free(void *memory);
SN_API size_t sn_malloc_usable_size(void *memory);

/*
 * Memory of the arena itself, as Arena.Allocate of the managed side gives, zeroed; NULL: it is full. For
 * large allocations, and for what managed code is to free. The host is asked, which takes microseconds and
 * ends when the host is at a safepoint; a question that was not answered when the thread was captured is
 * answered in the next process.
 */
SN_API void *sn_arena_allocate(size_t bytes, size_t alignment);
SN_API int32_t sn_arena_free(void *memory); /* 0, or EINVAL: it is no such allocation */

/* The root of that name and, unless NULL, its length; NULL: there is none. The host is asked. */
SN_API void *sn_root(const char *name, size_t *bytes);

/* ---- locks --------------------------------------------------------------------------------------------- */

/*
 * The arena locks, the same as in C#: threads and fibers of C# and native threads may share one. They live in
 * an arena (or in the heap, or in a module's variables, if only native threads use them), are never copied,
 * and survive a restart as they are: held before, held after, by the same thread. Whoever waits is captured
 * waiting, and waits on in the next process.
 */

/* ArenaMutex. Zeroed memory is an unlocked one. Not recursive, not fair. */
typedef struct sn_mutex {
    uint32_t word;
} sn_mutex;

SN_API int32_t sn_mutex_lock(sn_mutex *mutex);     /* 0; EDEADLK: the caller holds it already */
SN_API int32_t sn_mutex_try_lock(sn_mutex *mutex); /* 0; EBUSY: somebody holds it; EDEADLK */
SN_API int32_t sn_mutex_unlock(sn_mutex *mutex);   /* 0; EPERM: the caller does not hold it */

/* Whether the caller holds it. Only the caller can change the answer: it is as good after a restart. */
SN_API int32_t sn_mutex_is_held(const sn_mutex *mutex);

/*
 * ArenaBarrier. `records` are those of managed threads, up to 1024; native threads need none, as their wait
 * goes on by itself in the next process. Initialise it once, while nobody uses it, and not after a restart.
 */
typedef struct sn_barrier {
    uint64_t state; /* the phase in the upper half, how many have arrived in it in the lower */
    int32_t participants;
    int32_t reserved;
    uint64_t records[1024];
} sn_barrier;

SN_API int32_t sn_barrier_init(sn_barrier *barrier, int32_t participants); /* 0, or EINVAL */

/*
 * Waits until all have come. *last, unless NULL: 1 in exactly one participant of a phase, the last to come,
 * else 0.
 */
SN_API int32_t sn_barrier_wait(sn_barrier *barrier, int32_t *last); /* 0; EINVAL: it was not initialised */

/*
 * A condition, with a mutex that the caller holds. Zeroed memory is one. Waits may end without a signal:
 * check what is waited for, in a loop. For native threads only.
 */
typedef struct sn_condition {
    uint32_t sequence;
} sn_condition;

/* 0; EPERM: it is not the caller's */
SN_API int32_t sn_condition_wait(sn_condition *condition, sn_mutex *mutex);
SN_API void sn_condition_signal(sn_condition *condition);
SN_API void sn_condition_broadcast(sn_condition *condition);

/* ---- when a thread is captured ------------------------------------------------------------------------- */

/*
 * If threads are to be stopped just now, the caller is stopped here and not wherever the signal meets it.
 * Costs about two nanoseconds if not. Never needed; it is for code that prefers to be captured where little
 * is on its stack.
 */
SN_API void sn_safepoint(void);

/*
 * Between the two the thread is not captured, and no checkpoint takes place: it waits, and is given up when
 * its time is over. They nest. Leaving the outermost one lets a checkpoint that waits take place before it
 * returns. What the host is asked inside, it answers. What waits for another thread inside (a lock, a
 * barrier) may wait for one that has been stopped already, so that the checkpoint fails by its deadline: wait
 * outside. For the few places where a thread has something of this process in its hands.
 */
SN_API void sn_critical_enter(void);
SN_API void sn_critical_exit(void); /* without sn_critical_enter it ends the process */

/*
 * Calls function(argument) on a stack that is not captured, and counts the thread as stopped meanwhile: that
 * is how a thread waits outside of the locks above (read(2), sleep, MPI). Checkpoints take place as if it
 * were not there. When it returns, the caller first waits for one that is under way, and then gets the
 * result.
 *
 * If the process ends meanwhile, the next one calls function(argument) again; so it does if the function had
 * returned and the thread was waiting for that checkpoint. So: the function must touch no captured memory,
 * that is, no arena, no heap, no variable and no thread-local of a module, nothing on the caller's stack; its
 * argument says what to do (a descriptor's number, an index into memory of the process), and its result is
 * all that comes back. It must not call anything in this header, nor leave by an exception or longjmp. It has
 * 64 KiB of stack. It lies in a native module. errno afterwards is what it left. Inside a critical section,
 * or a checkpoint handler, the process is ended.
 */
SN_API int64_t sn_blocked_call(int64_t (*function)(void *argument), void *argument);

/*
 * Handlers of the calling thread, called in it:
 *
 *   SN_CHECKPOINT   the thread has been interrupted and is about to be captured. Anything but 0 is "not now":
 *                   it goes on, and is asked again a little later, until the checkpoint's time is over.
 *                   Handlers that had said yes are then called with SN_CONTINUE. Last registered first
 *   SN_CONTINUE     it goes on, in the same process (also when the checkpoint came to nothing). First
 *                   registered first
 *   SN_RESTART      it is about to go on, in a new process. First registered first. The result does not
 *                   matter
 *
 * They run wherever the thread was interrupted, perhaps in the middle of malloc or with a lock held, on a
 * small stack of their own (48 KiB): they call nothing in this header, do not allocate, take no locks, do not
 * throw. They may read and write the module's variables, thread-locals and arenas. A thread inside
 * sn_blocked_call is not interrupted, hence not asked; but SN_RESTART is told also to such a one, before its
 * function is called again.
 *
 * The registrations are captured. At most 8 a thread: ENOSPC. EINVAL: the function is not in a native module.
 */
enum { SN_CHECKPOINT = 1, SN_CONTINUE = 2, SN_RESTART = 3 };

typedef int32_t (*sn_handler)(void *argument, int32_t what);

SN_API int32_t sn_on_checkpoint(sn_handler handler, void *argument);
/* the last such; ENOENT: there is none */
SN_API int32_t sn_remove_handler(sn_handler handler, void *argument);

#ifdef __cplusplus
}

namespace snapshot
{

/* A critical section for the rest of a block. */
class critical_section
{
  public:
    critical_section()
    {
        sn_critical_enter();
    }
    ~critical_section()
    {
        sn_critical_exit();
    }
    critical_section(const critical_section &) = delete;
    critical_section &operator=(const critical_section &) = delete;
};

/* The mutex as the standard library wants one: for std::lock_guard and std::unique_lock. */
class mutex
{
  public:
    mutex() : m_mutex()
    {
    }
    mutex(const mutex &) = delete;
    mutex &operator=(const mutex &) = delete;
    void lock()
    {
        sn_mutex_lock(&m_mutex);
    }
    bool try_lock()
    {
        return sn_mutex_try_lock(&m_mutex) == 0;
    }
    void unlock()
    {
        sn_mutex_unlock(&m_mutex);
    }
    bool is_held() const
    {
        return sn_mutex_is_held(&m_mutex) != 0;
    }

  private:
    sn_mutex m_mutex;
};

} // namespace snapshot
#endif

#endif
