/*
 * scenes.c: a native module with one function for each scene that a test plays; what they share with C# is in an arena,
 * and in NativeScenes.cs.
 */
#include <snapshot_module.h>

#include <stdlib.h>
#include <unistd.h>

#define ENTRY __attribute__((visibility("default")))

#ifdef THREAD_LOCAL
static __thread volatile uint64_t t_turns;
#endif

struct scene {
    sn_mutex mutex;
    uint32_t go;              /* set by C# */
    uint32_t wanting;         /* set by the thread: it is about to wait */
    uint32_t released;        /* set by C#: the handler has given the lock back */
    uint32_t entered;
    uint32_t entered_early;
    int32_t descriptor;
    uint32_t rounds;
    void (*callback)(void);
    uint32_t checkpoints;     /* calls of the handler in C, by what it is told */
    uint32_t continues;
    uint32_t restarts;
    uint64_t total;           /* counted under the mutex, by whomever */
    uint64_t again;           /* the same */
};

static uint32_t look(uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void tell(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Waits, computing, until it is told to go; then wants the lock that a handler holds. */
ENTRY uint64_t want_lock(struct scene *scene)
{
    while (look(&scene->go) == 0) {
    }
    tell(&scene->wanting, 1);
    sn_mutex_lock(&scene->mutex);
    if (look(&scene->released) == 0)
        scene->entered_early++;
    scene->entered++;
    sn_mutex_unlock(&scene->mutex);
    return scene->entered;
}

/* Waits in the kernel where it must not. */
ENTRY uint64_t wait_in_read(struct scene *scene)
{
    char byte;
    tell(&scene->wanting, 1);
    return (uint64_t)read(scene->descriptor, &byte, 1);
}

static int64_t read_byte(void *descriptor)
{
    char byte;
    return read((int)(intptr_t)descriptor, &byte, 1);
}

/* Waits in the kernel as it should. */
ENTRY uint64_t wait_in_blocked_call(struct scene *scene)
{
    tell(&scene->wanting, 1);
    return (uint64_t)sn_blocked_call(read_byte, (void *)(intptr_t)scene->descriptor);
}

/* Has managed code on its stack. */
ENTRY uint64_t call_back(struct scene *scene)
{
    tell(&scene->wanting, 1);
    scene->callback();
    return 1;
}

/* Holds checkpoints back until it is told to go. */
ENTRY uint64_t stay_critical(struct scene *scene)
{
    sn_critical_enter();
    tell(&scene->wanting, 1);
    while (look(&scene->go) == 0) {
    }
    sn_critical_exit();
    return 1;
}

static int32_t count(void *argument, int32_t what)
{
    struct scene *scene = argument;
    uint32_t *counter = what == SN_CHECKPOINT ? &scene->checkpoints
                        : what == SN_CONTINUE ? &scene->continues
                                              : &scene->restarts;
    tell(counter, look(counter) + 1);
    return 0;
}

/* Has a handler of its own. */
ENTRY uint64_t handle(struct scene *scene)
{
    uint64_t failed = (uint64_t)sn_on_checkpoint(count, scene);
    tell(&scene->wanting, 1);
    while (look(&scene->go) == 0) {
    }
    return failed;
}

/* Computes for ever. */
ENTRY uint64_t spin(struct scene *scene)
{
    uint64_t turns = 0;
    tell(&scene->wanting, 1);
    while (look(&scene->go) == 0) {
        turns++;
#ifdef THREAD_LOCAL
        t_turns = turns;
#endif
    }
    return turns;
}

/* Counts under the lock, which threads and fibers of C# take, too. */
ENTRY uint64_t count_locked(struct scene *scene)
{
    for (uint32_t round = 0; round < scene->rounds; round++) {
        sn_mutex_lock(&scene->mutex);
        scene->total++;
        scene->again = scene->total;
        sn_mutex_unlock(&scene->mutex);
    }
    return scene->rounds;
}

/* Asks the host for memory of the arena and for roots; the number of answers that were not right. */
ENTRY uint64_t ask(struct scene *scene)
{
    uint64_t wrong = 0;
    size_t bytes = 0;
    tell(&scene->wanting, 1);
    for (uint32_t round = 0; round < scene->rounds; round++) {
        size_t size = 64 + 4096 * (size_t)(round % 7);
        unsigned char *block = sn_arena_allocate(size, 64);
        wrong += block == NULL || (uintptr_t)block % 64 != 0 || block[0] != 0 || block[size - 1] != 0;
        block[0] = block[size - 1] = 1;
        wrong += sn_arena_free(block) != 0;
        wrong += sn_root("scene", &bytes) != scene || bytes != sizeof *scene;
        wrong += sn_root("no such root", &bytes) != NULL;
        tell(&scene->entered, round + 1);
    }
    wrong += sn_arena_allocate((size_t)1 << 50, 64) != NULL;
    wrong += sn_arena_free(scene) == 0; /* a root */
    return wrong;
}

/* Asks the host in a critical section, when it is told to go; the number of answers that were not right. */
ENTRY uint64_t ask_critical(struct scene *scene)
{
    size_t bytes = 0;
    sn_critical_enter();
    tell(&scene->wanting, 1);
    while (look(&scene->go) == 0) {
    }
    void *block = sn_arena_allocate(64, 64);
    uint64_t wrong = block == NULL;
    wrong += sn_arena_free(block) != 0;
    wrong += sn_root("scene", &bytes) != scene || bytes != sizeof *scene;
    sn_critical_exit();
    return wrong;
}

/* Holds what it must not: pointers into libc that a caller gave it, in a variable, in the heap and on its stack. */
static void *s_held;

ENTRY uint64_t hold_pointers(struct scene *scene)
{
    void **kept = malloc(sizeof *kept);
    void *volatile here = (void *)(uintptr_t)scene->callback;
    s_held = here;
    *kept = here;
    tell(&scene->wanting, 1);
    while (look(&scene->go) == 0) {
    }
    free(kept);
    return here == s_held;
}
