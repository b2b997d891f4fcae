/*
 * process.c: what the library does to the process that uses it, one scene each. Usage: process SCENE STORE.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <snapshot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *s_store;
static snapshot_session *s_session;

static void fail(const char *what)
{
    printf("%s: %s: %s\n", what, snapshot_code_name(snapshot_error_code()), snapshot_error());
    exit(1);
}

static void open_session(void)
{
    if (snapshot_open(s_store, NULL, &s_session) != 0)
        fail("open");
}

/* One checkpoint of one array, until it is durable. */
static int64_t checkpoint(void)
{
    snapshot_ticket *ticket;
    int64_t generation;
    int64_t *count = snapshot_array(s_session, "count", "i64", 1);
    if (count == NULL)
        fail("array");
    ++*count;
    if (snapshot_checkpoint(s_session, NULL, &ticket) != 0 || snapshot_wait(ticket, &generation) != 0)
        fail("checkpoint");
    return generation;
}

static int use(void)
{
    open_session();
    int64_t before = snapshot_generation(s_session), after = checkpoint();
    int64_t *count = snapshot_array(s_session, "count", "i64", 1);
    printf("from %lld to %lld, count %lld\n", (long long)before, (long long)after, (long long)*count);
    if (snapshot_close(s_session) != 0)
        fail("close");
    return 0;
}

/* ---- signals ------------------------------------------------------------------------------------------- */

static void print_dispositions(const char *when)
{
    printf("%s", when);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            printf(" %d%s", number, action.sa_handler == SIG_IGN ? "-ignored" : "");
    }
    printf("\n");
}

static int dispositions(void)
{
    print_dispositions("before");
    open_session();
    print_dispositions("opened");
    checkpoint();
    snapshot_close(s_session);
    print_dispositions("closed");
    return 0;
}

/* Prints until it is ended by a pipe that nobody reads. */
static int print_on(void)
{
    open_session();
    for (int i = 0; i < 1000000; i++)
        printf("line %d\n", i);
    return 0;
}

static int *volatile s_nowhere;

static int segv(void)
{
    open_session();
    checkpoint();
    *s_nowhere = 1;
    return 0;
}

static sigjmp_buf s_after;

static void on_segv(int number)
{
    siglongjmp(s_after, number);
}

/* The program's own handler, installed before or after the library's. */
static int segv_handler(int before)
{
    if (!before)
        open_session();
    signal(SIGSEGV, on_segv);
    if (before)
        open_session();
    checkpoint();
    int number = sigsetjmp(s_after, 1);
    if (number == 0)
        *s_nowhere = 1;
    printf("handled %d, generation %lld\n", number, (long long)checkpoint());
    return 0;
}

static void on_runtime_signal(int number)
{
    (void)number;
}

static int runtime_signal(void)
{
    open_session();
    checkpoint();
    signal(SIGRTMIN, on_runtime_signal);
    int result = snapshot_checkpoint(s_session, NULL, NULL);
    printf("%s: %s\n", snapshot_code_name(result), snapshot_error());
    return 0;
}

static int s_handled;

static void count_signal(int number)
{
    s_handled += number;
}

static void print_due(const char *when)
{
    int bits = snapshot_due(s_session);
    printf("%s: %d, last signal %d\n", when, bits, snapshot_last_signal(s_session));
}

static int due(void)
{
    snapshot_options options = SNAPSHOT_OPTIONS;
    signal(SIGUSR1, count_signal);
    options.signals = "USR1, SIGTERM";
    options.time_limit = 60;
    options.time_margin = 60;
    if (snapshot_open(s_store, &options, &s_session) != 0)
        fail("open");
    print_due("limit");
    print_due("limit again");
    raise(SIGUSR1);
    print_due("signal");
    print_due("signal again");
    printf("own handler saw %d\n", s_handled);
    raise(SIGTERM);
    print_due("term");
    return 0;
}

static int windowed(void)
{
    snapshot_options options = SNAPSHOT_OPTIONS;
    options.flags = SNAPSHOT_SYSTEM_CALLS_MUST_WORK;
    options.window_bytes = (int64_t)64 << 30;
    options.window = 848;
    int result = snapshot_open(s_store, &options, &s_session);
    printf("%s: %s\n", snapshot_code_name(result), snapshot_error());
    options.window = 847;
    if (snapshot_open(s_store, &options, &s_session) != 0)
        fail("open");
    void *array = snapshot_array(s_session, "a", "i64", 1);
    printf("in window %d\n", (uintptr_t)array > 0x54f000000000 && (uintptr_t)array < 0x550000000000);
    return 0;
}

/* ---- fork ---------------------------------------------------------------------------------------------- */

static int fork_child(void)
{
    open_session();
    checkpoint();
    snapshot_participant *participant;
    if (snapshot_attach(s_session, "main", &participant) != 0)
        fail("attach");
    fflush(stdout);
    if (fork() == 0) {
        int64_t *count = snapshot_array(s_session, "count", "i64", 1);
        printf("array %p %s\n", (void *)count, snapshot_code_name(snapshot_error_code()));
        printf("checkpoint %s\n", snapshot_code_name(snapshot_checkpoint(s_session, NULL, NULL)));
        printf("poll %d, slow %s\n", snapshot_poll(participant),
               snapshot_code_name(snapshot_poll_slow(participant)));
        printf("open %s\n", snapshot_code_name(snapshot_open(s_store, NULL, &s_session)));
        printf("close %d\n", snapshot_close(s_session));
        exit(0); /* runs what the library has for the end of a process */
    }
    int status;
    wait(&status);
    printf("child %d\n", status);
    snapshot_detach(participant);
    printf("generation %lld\n", (long long)checkpoint());
    return 0;
}

/* Leaves a child behind, says so, and waits to be killed. */
static int fork_hold(void)
{
    open_session();
    checkpoint();
    fflush(stdout);
    if (fork() == 0) {
        pause();
        _exit(0);
    }
    printf("held\n");
    fflush(stdout);
    pause();
    return 0;
}

/* The child of a lazy restart finds memory that its parent had not touched. */
static int fork_lazy(void)
{
    enum { COUNT = 1 << 22 };
    snapshot_options options = SNAPSHOT_OPTIONS;
    options.flags = SNAPSHOT_LAZY;
    if (snapshot_open(s_store, &options, &s_session) != 0)
        fail("open");
    int64_t *values = snapshot_array(s_session, "values", "i64", COUNT);
    if (snapshot_generation(s_session) == 0) {
        for (int64_t i = 0; i < COUNT; i++)
            values[i] = i;
        checkpoint();
        return snapshot_close(s_session);
    }
    fflush(stdout);
    if (fork() == 0) {
        int64_t wrong = 0;
        for (int64_t i = 0; i < COUNT; i++)
            wrong += values[i] != i;
        printf("wrong %lld\n", (long long)wrong);
        exit(0);
    }
    int status;
    wait(&status);
    return snapshot_close(s_session);
}

/* ---- threads ------------------------------------------------------------------------------------------- */

static volatile int s_is_done;

static void *poll_on(void *name)
{
    snapshot_participant *participant;
    if (snapshot_attach(s_session, name, &participant) != 0)
        fail("attach");
    while (!s_is_done) {
        if (snapshot_poll(participant) != 0)
            fail("poll");
        snapshot_enter_critical(participant);
        snapshot_exit_critical(participant);
        snapshot_enter_blocked(participant, "nothing");
        snapshot_exit_blocked(participant);
        snapshot_mutex wrong = {0};
        snapshot_mutex_unlock(&wrong); /* an error: makes garbage */
    }
    snapshot_detach(participant);
    return NULL;
}

/* Threads with small stacks in all exports, while garbage is collected and checkpoints are taken. */
static int collected(void)
{
    char names[3][8];
    pthread_t threads[3];
    pthread_attr_t small;
    open_session();
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    for (int i = 0; i < 3; i++) {
        sprintf(names[i], "t%d", i);
        if (pthread_create(&threads[i], &small, poll_on, names[i]) != 0)
            return 1;
    }
    int64_t generation = 0;
    for (int i = 0; i < 20; i++)
        generation = checkpoint();
    s_is_done = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("generation %lld\n", (long long)generation);
    return snapshot_close(s_session);
}

static void *end_attached(void *unused)
{
    snapshot_participant *participant;
    (void)unused;
    return (void *)(intptr_t)snapshot_attach(s_session, "gone", &participant);
}

/* A thread that ended without detaching does not hold a checkpoint up, and its name is free again. */
static int ended_thread(void)
{
    pthread_t thread;
    open_session();
    pthread_create(&thread, NULL, end_attached, NULL);
    pthread_join(thread, NULL);
    printf("generation %lld\n", (long long)checkpoint());
    pthread_create(&thread, NULL, end_attached, NULL);
    void *result;
    pthread_join(thread, &result);
    printf("attach %ld\n", (long)(intptr_t)result);
    return snapshot_close(s_session);
}

/* ---- errors -------------------------------------------------------------------------------------------- */

/* Rewrites what does not shrink, so that an image of it needs its room. */
static void scramble(unsigned char *bytes, size_t count)
{
    static uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (unsigned char)state;
    }
}

/* A checkpoint that nobody waits for fails after its capture: the next call says so. */
static int late_error(void)
{
    enum { BYTES = 8 << 20 };
    struct rlimit all, little = {1 << 20, RLIM_INFINITY};
    open_session();
    unsigned char *bytes = snapshot_array(s_session, "bytes", "u8", BYTES);
    if (bytes == NULL)
        fail("array");
    scramble(bytes, BYTES);
    checkpoint();
    getrlimit(RLIMIT_FSIZE, &all);
    little.rlim_max = all.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    scramble(bytes, BYTES);
    printf("first %d\n", snapshot_checkpoint(s_session, NULL, NULL));
    int second = snapshot_checkpoint(s_session, NULL, NULL);
    printf("second %s, \"%.66s\"\n", snapshot_code_name(second), snapshot_error());
    setrlimit(RLIMIT_FSIZE, &all);
    checkpoint();
    int closed = snapshot_close(s_session);
    printf("closed %s\n", snapshot_code_name(closed));
    return 0;
}

/* ---- costs --------------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *attach_and_leave(void *unused)
{
    snapshot_participant *participant;
    (void)unused;
    if (snapshot_attach(s_session, "timed", &participant) != 0)
        fail("attach");
    snapshot_detach(participant);
    return NULL;
}

static void *leave(void *unused)
{
    return unused;
}

static double threads_of(void *(*body)(void *))
{
    double least = 1;
    for (int burst = 0; burst < 50; burst++) {
        double begin = seconds();
        for (int i = 0; i < 20; i++) {
            pthread_t thread;
            pthread_create(&thread, NULL, body, NULL);
            pthread_join(thread, NULL);
        }
        double each = (seconds() - begin) / 20;
        least = each < least ? each : least;
    }
    return least;
}

/* The least of many short bursts, each beside an empty one. */
static int costs(void)
{
    enum { TURNS = 100000 };
    snapshot_participant *participant;
    double polls = 1, empty = 1;
    open_session();
    checkpoint();
    if (snapshot_attach(s_session, "main", &participant) != 0)
        fail("attach");
    for (int burst = 0; burst < 1000; burst++) {
        double begin = seconds();
        for (int i = 0; i < TURNS; i++)
            __asm__ volatile("" ::: "memory");
        double middle = seconds();
        for (int i = 0; i < TURNS; i++) {
            __asm__ volatile("" ::: "memory");
            if (snapshot_poll(participant) != 0)
                fail("poll");
        }
        double end = seconds();
        empty = middle - begin < empty ? middle - begin : empty;
        polls = end - middle < polls ? end - middle : polls;
    }
    snapshot_detach(participant);
    double plain = threads_of(leave), attached = threads_of(attach_and_leave);
    printf("poll %.2f ns over an empty loop of %.2f ns\n", (polls - empty) / TURNS * 1e9,
           empty / TURNS * 1e9);
    printf("attach and detach of a new thread %.1f us over %.1f us\n", (attached - plain) * 1e6, plain * 1e6);
    snapshot_close(s_session);
    char command[64];
    sprintf(command, "grep VmRSS /proc/%d/status", (int)getpid());
    fflush(stdout);
    return system(command);
}

/* A write that no fault shows: the kernel pins the memory first, as for a device. */
static int devices(void)
{
    enum { BYTES = 1 << 20 };
    static unsigned char stored[BYTES], content[BYTES];
    snapshot_range *range, *outside;
    snapshot_store *store;
    open_session();
    unsigned char *window = snapshot_array(s_session, "window", "u8", BYTES);
    if (window == NULL || snapshot_open_for_devices(s_session, window, BYTES, &range) != 0)
        fail("open for devices");
    for (int round = 1; round <= 3; round++) {
        memset(content, round, BYTES);
        struct iovec from = {content, BYTES}, to = {window, BYTES};
        if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != BYTES)
            return 3;
        int64_t generation = checkpoint();
        if (snapshot_store_open(s_store, &store) != 0 ||
            snapshot_store_read(store, generation, "main/window", 0, stored, BYTES) != 0)
            fail("read");
        snapshot_store_close(store);
        printf("as written %d\n", memcmp(stored, content, BYTES) == 0);
    }
    printf("%s\n", snapshot_code_name(-snapshot_open_for_devices(s_session, stored, 1, &outside)));
    if (snapshot_close(s_session) != 0 || snapshot_close_range(range) != 0 || snapshot_close_range(NULL) != 0)
        fail("close");
    printf("%s\n", snapshot_code_name(-snapshot_close_range(range)));
    return 0;
}

int main(int count, char **arguments)
{
    const struct {
        const char *name;
        int (*run)(void);
    } scenes[] = {
        {"use", use},
        {"dispositions", dispositions},
        {"print", print_on},
        {"segv", segv},
        {"runtime-signal", runtime_signal},
        {"due", due},
        {"windowed", windowed},
        {"fork-child", fork_child},
        {"fork-hold", fork_hold},
        {"fork-lazy", fork_lazy},
        {"collected", collected},
        {"ended-thread", ended_thread},
        {"late-error", late_error},
        {"costs", costs},
        {"devices", devices},
    };
    if (count < 3)
        return 2;
    s_store = arguments[2];
    if (strcmp(arguments[1], "segv-before") == 0 || strcmp(arguments[1], "segv-after") == 0)
        return segv_handler(arguments[1][5] == 'b');
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (strcmp(arguments[1], scenes[i].name) == 0)
            return scenes[i].run();
    }
    return 2;
}
