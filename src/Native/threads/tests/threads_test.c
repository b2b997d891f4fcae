/*
 * threads_test.c: threads are stopped, captured, killed with their process and continued in the next one,
 * over and over; what they compute is, bit for bit, what they compute undisturbed.
 *
 * threads_test KILLS SEED
 *     runs everything; processes of its own do the work
 * threads_test --run IMAGE EVERY
 *     one such process: goes on from the image if there is one, prints the results, and captures every
 *     so many microseconds (0: never)
 */
#include "host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 250u

extern char **environ;

/* ---- a process ----------------------------------------------------------------------------------------- */

static void add_runtime(uint64_t kind, uint64_t rounds, uint64_t index)
{
    int is_cxx = kind >= RUNTIME_EXCEPTION && kind < RUNTIME_KINDS;
    struct runtime_job *job = &arena->runtime_jobs[arena->threads];
    *job = (struct runtime_job){
        .kind = kind, .rounds = rounds, .index = index, .hash = kind * 7 + index, .shared = &arena->shared};
    host_add(is_cxx ? host_function(MODULE_CXX, "test_cxx") : host_function(MODULE_RUNTIME, "test_runtime"),
             job);
}

static void add_all(void)
{
    static const uint32_t rounds[RUNTIME_KINDS] = {
        [RUNTIME_HEAP] = 300,     [RUNTIME_MUTEX] = 300,     [RUNTIME_BARRIER] = 300,
        [RUNTIME_PRODUCE] = 400,  [RUNTIME_CONSUME] = 400,   [RUNTIME_BLOCKED] = 200,
        [RUNTIME_HANDLER] = 300,  [RUNTIME_CRITICAL] = 500,  [RUNTIME_QUESTION] = 100,
        [RUNTIME_SORT] = 1000,    [RUNTIME_TRAP] = 60,       [RUNTIME_EXCEPTION] = 150,
        [RUNTIME_LIBRARY] = 1000, [RUNTIME_STD_MUTEX] = 300,
    };
    static const uint32_t threads[RUNTIME_KINDS] = {
        [RUNTIME_MUTEX] = 3, [RUNTIME_BARRIER] = RUNTIME_BARRIER_THREADS, [RUNTIME_STD_MUTEX] = 2};
    void *function = host_function(MODULE_WORK, "test_work");
    for (uint64_t kind = 0; kind < WORK_KINDS; kind++) {
        struct job *job = &arena->jobs[arena->threads];
        *job = (struct job){.kind = kind, .rounds = ROUNDS, .hash = kind + 1};
        host_add(function, job);
    }
    CHECK(sn_barrier_init(&arena->shared.barrier, (int32_t)RUNTIME_BARRIER_THREADS) == 0);
    for (uint64_t kind = 0; kind < RUNTIME_KINDS; kind++) {
        for (uint32_t i = 0; i < (threads[kind] == 0 ? 1 : threads[kind]); i++)
            add_runtime(kind, rounds[kind], i);
    }
}

static int run(const char *image, useconds_t every)
{
    if (!host_open(image))
        add_all();
    host_start();
    while (!host_are_all_done()) {
        usleep(every == 0 ? 1000 : every);
        if (every != 0)
            host_capture(image);
    }
    for (uint64_t i = 0; i < arena->threads; i++) {
        const struct job *job = &arena->jobs[i];
        const struct runtime_job *other = &arena->runtime_jobs[i];
        printf("%d %a %llx, %d %llx %d\n", (int)job->kind, job->sum, (unsigned long long)job->hash,
               (int)other->kind, (unsigned long long)other->hash, (int)other->wrong);
        CHECK(other->wrong == 0);
    }
    printf("%d\n", (int)arena->shared.counter);
    CHECK(arena->shared.counter == 3 * 300 * 100);
    return 0;
}

/* ---- the parent ---------------------------------------------------------------------------------------- */

static pid_t begin(const char *image, const char *every, const char *results)
{
    char *arguments[] = {"threads_test", "--run", (char *)(uintptr_t)image, (char *)(uintptr_t)every, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, results, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    CHECK(posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void compare(const char *one, const char *other)
{
    char left[8192] = {0}, right[8192] = {0};
    FILE *a = fopen(one, "r"), *b = fopen(other, "r");
    CHECK(a != NULL && b != NULL);
    size_t bytes = fread(left, 1, sizeof left - 1, a);
    CHECK(bytes > 0 && fread(right, 1, sizeof right - 1, b) == bytes && memcmp(left, right, bytes) == 0);
    fclose(a);
    fclose(b);
}

/*
 * Kills processes at random moments; the results of the one that comes to the end are those of one left
 * alone.
 */
static void killed_threads_go_on_where_they_stood(int kills)
{
    int status = 0, killed = 0, ended = 0;
    unlink("image");
    CHECK(waitpid(begin("none", "0", "expected"), &status, 0) > 0 && status == 0);
    while (killed < kills) {
        pid_t child = begin("image", "3000", "results");
        usleep((useconds_t)(rand() % 800000));
        kill(child, SIGKILL);
        CHECK(waitpid(child, &status, 0) > 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            killed++;
            continue;
        }
        CHECK(status == 0);
        compare("expected", "results");
        CHECK(unlink("image") == 0);
        ended++;
    }
    CHECK(waitpid(begin("image", "3000", "results"), &status, 0) > 0 && status == 0);
    compare("expected", "results");
    unlink("image");
    printf("killed %d times, ended %d times with the same bits\n", killed, ended + 1);
}

/* ---- who cannot be stopped, and who need not be -------------------------------------------------------- */

static void expect_late(const struct snt_record *expected, int32_t why, uint64_t *pc)
{
    struct snt_record *late = NULL;
    int32_t stopped, reason = 0;
    while ((stopped = snt_stop(SECOND / 20)) == 0) /* not yet there */
        snt_resume();
    CHECK(stopped == ETIMEDOUT);
    CHECK(snt_late(&late, pc, &reason) == 0);
    CHECK(late == expected && reason == why);
}

static void join(const struct snt_record *first, const struct snt_record *last)
{
    for (; first <= last; first++)
        CHECK(snt_thread_join((struct snt_record *)(uintptr_t)first) == 0);
}

/*
 * A thread that is blocked in a system call cannot be parked: that is said in time, with the place, and all
 * go on.
 */
static void who_is_blocked_in_a_system_call_is_named(void)
{
    int ends[2];
    uint64_t pc = 0;
    Dl_info where = {0};
    void *function = host_function(MODULE_WORK, "test_work");
    CHECK(pipe(ends) == 0);
    arena->jobs[0] = (struct job){.kind = WORK_VECTOR, .rounds = 50};
    arena->jobs[1] = (struct job){.kind = WORK_READ, .rounds = (uint64_t)ends[0]};
    struct snt_record *one = host_add(function, &arena->jobs[0]),
                      *other = host_add(function, &arena->jobs[1]);
    CHECK(snt_thread_start(one) == 0 && snt_thread_start(other) == 0);
    expect_late(other, SNT_LATE_FOREIGN, &pc);
    CHECK(dladdr((void *)(uintptr_t)pc, &where) != 0 && strstr(where.dli_fname, "libc") != NULL);
    CHECK(write(ends[1], "x", 1) == 1);
    join(one, other);
    CHECK(other->result == 1);
    CHECK(snt_stop(SECOND) == 0); /* of nobody */
    snt_resume();
}

/* In a blocked call it counts as stopped, and does not come back while others are. */
static void a_blocked_call_does_not_hold_up_a_stop(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    add_runtime(RUNTIME_READ, (uint64_t)ends[0], 0);
    struct snt_record *record = &arena->records[arena->threads - 1];
    CHECK(snt_thread_start(record) == 0);
    while (__atomic_load_n(&record->blocked, __ATOMIC_ACQUIRE) == 0)
        usleep(100);
    for (int i = 0; i < 100; i++) {
        CHECK(snt_stop(SECOND) == 0);
        CHECK(record->blocked == 1);
        snt_resume();
    }
    CHECK(snt_stop(SECOND) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    int unread = 1;
    while (unread != 0)
        CHECK(ioctl(ends[0], FIONREAD, &unread) == 0);
    for (int i = 0; i < 10000; i++) { /* it has all it needs to come back, were it not held */
        sched_yield();
        CHECK(record->blocked == 1 && record->state == SNT_STATE_RUNNING);
    }
    snt_resume();
    join(record, record);
    CHECK(record->result == 1);
}

static void who_would_rather_not_is_named(uint64_t kind, int32_t reason)
{
    uint64_t pc = 0;
    add_runtime(kind, 1, 0);
    struct snt_record *record = &arena->records[arena->threads - 1];
    struct runtime_job *job = &arena->runtime_jobs[arena->threads - 1];
    CHECK(snt_thread_start(record) == 0);
    expect_late(record, reason, &pc);
    __atomic_store_n(&job->rounds, 0, __ATOMIC_RELAXED);
    CHECK(snt_stop(SECOND) == 0);
    snt_resume();
    join(record, record);
}

static void *let_go(void *rounds)
{
    __atomic_store_n((uint64_t *)rounds, 0, __ATOMIC_RELAXED);
    return NULL;
}

/*
 * Whoever asks in a critical section cannot be stopped before it has its answer, and the host that stops is
 * who answers: the stop ends at once, whether the question came before it or during it. Nobody else answers
 * here.
 */
static void who_asks_in_a_critical_section_is_answered(void)
{
    add_runtime(RUNTIME_ASK, 1, 0);
    struct snt_record *record = &arena->records[arena->threads - 1];
    struct runtime_job *job = &arena->runtime_jobs[arena->threads - 1];
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        int32_t stopped;
        record->state = SNT_STATE_STARTING;
        job->rounds = 1;
        CHECK(snt_thread_start(record) == 0);
        CHECK(pthread_create(&thread, NULL, let_go, &job->rounds) == 0);
        while ((stopped = snt_stop(10 * SECOND)) == 0) /* not yet there */
            snt_resume();
        CHECK(stopped == EAGAIN && record->question.state == SNT_ASKED);
        host_answer();
        CHECK(snt_stop(10 * SECOND) == 0);
        snt_resume();
        CHECK(pthread_join(thread, NULL) == 0);
        join(record, record);
        CHECK(record->result == 1);
    }
}

static void *stop_often(void *stop)
{
    while (__atomic_load_n((int *)stop, __ATOMIC_RELAXED) == 0) {
        CHECK(snt_stop(10 * SECOND) == 0);
        snt_resume();
    }
    return NULL;
}

/* Threads begin and end while others are being stopped: in their first and last instructions, too. */
static void threads_come_and_go_while_others_are_stopped(void)
{
    pthread_t thread;
    int stop = 0;
    add_runtime(RUNTIME_NOTHING, 0, 0);
    struct snt_record *record = &arena->records[arena->threads - 1];
    CHECK(pthread_create(&thread, NULL, stop_often, &stop) == 0);
    for (int i = 0; i < 3000; i++) {
        record->state = SNT_STATE_STARTING;
        record->result = 0;
        CHECK(snt_thread_start(record) == 0);
        CHECK(snt_thread_join(record) == 0);
        CHECK(record->result == 1);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *look_at_environment(void *argument)
{
    struct snt_environment *environment = argument;
    CHECK(snt_environment(environment) == 0);
    errno = 4711;
    uint64_t self;
    __asm__("movq %%fs:0, %0" : "=r"(self));
    CHECK(*(int *)(uintptr_t)(self + (uint64_t)environment->errno_offset) == 4711);
    return NULL;
}

static void the_environment_is_the_same_in_every_thread(void)
{
    struct snt_environment here, there;
    pthread_t thread;
    look_at_environment(&here);
    CHECK(pthread_create(&thread, NULL, look_at_environment, &there) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(memcmp(&here, &there, sizeof here) == 0);
    CHECK((here.vector_state & 3) == 3);
    CHECK(here.libc_version[0] >= '2');
}

static uint32_t s_policies_set;

/* Stands before the C library's: the runtime calls it. */
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters)
{
    s_policies_set++;
    return (int)syscall(SYS_sched_setscheduler, pid, policy, parameters);
}

static void priorities_are_kept_where_that_is_wanted(void)
{
    for (int32_t keep = 0; keep <= 1; keep++) {
        snt_keep_priorities(keep);
        s_policies_set = 0;
        CHECK(snt_stop(SECOND) == 0);
        snt_resume();
        CHECK((s_policies_set == 0) == (keep != 0));
    }
    snt_keep_priorities(0);
}

static void what_cannot_be_had_is_an_errno(void)
{
    CHECK(snt_abi_version() == SNT_ABI_VERSION);
    CHECK(snt_open(SIGNAL) == EBUSY);
    CHECK(snt_open(SIGRTMIN + 10) == EEXIST);
    struct snt_module large = {.first = 1, .end = 2, .tls_offset = 8, .tls_bytes = SNT_TLS_MAX + 1};
    CHECK(snt_module_add(&large, NULL, 0) == ENOSPC);
    CHECK(snt_heap_open(arena->blocks, sizeof arena->blocks, 0) == EINVAL);
    CHECK(snt_heap_open(arena->blocks, sizeof arena->blocks, 1) == EINVAL);
}

/* In a child, which has this thread alone. */
static void whoever_breaks_an_invariant_ends_the_process(void)
{
    static const char words[] =
        "Snapshot: broken invariant in snt_resume: only what was stopped is resumed. ";
    char said[256] = {0};
    int ends[2], status = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        snt_resume();
        _exit(0);
    }
    close(ends[1]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(read(ends[0], said, sizeof said - 1) > 0);
    close(ends[0]);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strncmp(said, words, sizeof words - 1) == 0);
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "--run") == 0)
        return run(arguments[2], (useconds_t)atoi(arguments[3]));
    CHECK(count == 3);
    srand((unsigned)atoi(arguments[2]));
    killed_threads_go_on_where_they_stood(atoi(arguments[1]));
    CHECK(host_open("none") == 0);
    who_is_blocked_in_a_system_call_is_named();
    a_blocked_call_does_not_hold_up_a_stop();
    who_would_rather_not_is_named(RUNTIME_STUCK, SNT_LATE_CRITICAL);
    who_would_rather_not_is_named(RUNTIME_REFUSE, SNT_LATE_REFUSED);
    who_asks_in_a_critical_section_is_answered();
    threads_come_and_go_while_others_are_stopped();
    priorities_are_kept_where_that_is_wanted();
    the_environment_is_the_same_in_every_thread();
    what_cannot_be_had_is_an_errno();
    whoever_breaks_an_invariant_ends_the_process();
    printf("threads: ok\n");
    return 0;
}
