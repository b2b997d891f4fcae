/*
 * cxx.c: what C++ native modules get in place of parts of libstdc++ and libgcc. Part of the shim, hence in
 * every module, at its fixed address; the linker takes these before it looks into libstdc++.a, and leaves
 * theirs out.
 *
 * Theirs would bring what a captured thread must not hold: exceptions under way in a thread-local block that
 * the dynamic linker allocates, variables of libc, FILE*, and waits in the kernel.
 */
#include "../call.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define HIDDEN __attribute__((visibility("hidden")))

/*
 * libc's says whether locked instructions may be left out. Its address would be in registers; and there are
 * threads.
 */
extern HIDDEN char __libc_single_threaded;
char __libc_single_threaded = 0;

/* The default end of a program whose exception nobody catches: theirs prints what it was. */
HIDDEN _Noreturn void snt_shim_terminate(void) __asm__("_ZN9__gnu_cxx27__verbose_terminate_handlerEv");

_Noreturn void snt_shim_terminate(void)
{
    abort();
}

/*
 * The exceptions of a thread, as the C++ ABI defines them; built with initial-exec, so that they are captured
 * with it.
 */
struct snt_shim_exceptions {
    void *caught;
    uint32_t uncaught;
};

static __thread struct snt_shim_exceptions s_exceptions __attribute__((tls_model("initial-exec")));

HIDDEN struct snt_shim_exceptions *__cxa_get_globals(void);
HIDDEN struct snt_shim_exceptions *__cxa_get_globals_fast(void);

struct snt_shim_exceptions *__cxa_get_globals(void)
{
    return &s_exceptions;
}

struct snt_shim_exceptions *__cxa_get_globals_fast(void)
{
    return &s_exceptions;
}

/*
 * The guard of a static variable in a function. Byte 0, which compiled code reads, says that the variable has
 * been initialised; byte 1 that a thread is about to. Whoever waits yields: the guard is in captured memory,
 * and a thread that slept on it in the kernel would have to be woken by one that may be in another process by
 * then.
 */
HIDDEN int __cxa_guard_acquire(unsigned char *guard);
HIDDEN void __cxa_guard_release(unsigned char *guard);
HIDDEN void __cxa_guard_abort(unsigned char *guard);

int __cxa_guard_acquire(unsigned char *guard)
{
    for (;;) {
        unsigned char nobody = 0;
        if (__atomic_load_n(&guard[0], __ATOMIC_ACQUIRE) != 0)
            return 0;
        if (!__atomic_compare_exchange_n(&guard[1], &nobody, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            snt_yield();
            continue;
        }
        if (__atomic_load_n(&guard[0], __ATOMIC_ACQUIRE) == 0)
            return 1;
        __atomic_store_n(&guard[1], 0, __ATOMIC_RELEASE);
        return 0;
    }
}

void __cxa_guard_release(unsigned char *guard)
{
    __atomic_store_n(&guard[0], 1, __ATOMIC_RELEASE);
    __atomic_store_n(&guard[1], 0, __ATOMIC_RELEASE);
}

void __cxa_guard_abort(unsigned char *guard)
{
    __atomic_store_n(&guard[1], 0, __ATOMIC_RELEASE);
}

/*
 * Destructors of static objects do not run: the end of a process is not the end of what it has computed, and
 * the heap in which the objects have their memory may be gone by then. One process may have made them, and
 * another end.
 */
HIDDEN int __cxa_atexit(void (*destroy)(void *), void *object, void *library);

int __cxa_atexit(void (*destroy)(void *), void *object, void *library)
{
    (void)destroy;
    (void)object;
    (void)library;
    return 0;
}

/* By its being there libgcc tells that there may be threads, and then locks. Nobody calls it. */
HIDDEN int __pthread_key_create(pthread_key_t *key, void (*destroy)(void *));

int __pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    (void)key;
    (void)destroy;
    return ENOSYS;
}

/*
 * The same guard as above, for what libgcc initialises once; the first two bytes of the control word are it.
 */
HIDDEN int pthread_once(pthread_once_t *once, void (*initialize)(void));

int pthread_once(pthread_once_t *once, void (*initialize)(void))
{
    unsigned char *guard = (unsigned char *)once;
    if (__cxa_guard_acquire(guard) == 0)
        return 0;
    initialize();
    __cxa_guard_release(guard);
    return 0;
}
