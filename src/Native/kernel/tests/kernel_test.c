/*
 * kernel_test.c: threads are stopped, captured, killed with their process and continued in the next one, over and over;
 * what they compute is, bit for bit, what they compute undisturbed.
 *
 * kernel_test KILLS SEED         runs everything; processes of its own do the work
 * kernel_test --run IMAGE EVERY  one such process: goes on from the image if there is one, captures every so many
 *                                microseconds (0: never), and prints the results
 */
#include "../kernel.h"
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(2); \
        } \
    } while (0)

#define SIGNAL 42
#define MODULE "libkernel_test_module.so"
#define MODULE_BASE UINT64_C(0x180000000000)
#define ARENA UINT64_C(0x200000000000)
#define ARENA_BYTES (UINT64_C(16) << 20)
#define STACK_BYTES (UINT64_C(256) << 10)
#define THREADS_MAX 32u
#define DATA_MAX 16384u
#define ROUNDS 600u
#define SECOND INT64_C(1000000000)

extern char **environ;

/* The arena: all there is of the threads. */
struct arena {
    uint64_t threads;
    uint64_t data_bytes;
    unsigned char data[DATA_MAX]; /* the module's writable data */
    struct snk_record records[THREADS_MAX];
    struct job jobs[THREADS_MAX];
};

static struct arena *const arena = (struct arena *)(uintptr_t)ARENA;
static struct snk_module module;
static unsigned char *module_data;
static uint64_t module_data_bytes;

/* ---- the module --------------------------------------------------------------------------------------------- */

static int find_module(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    (void)argument;
    if (strstr(info->dlpi_name, MODULE) == NULL)
        return 0;
    uint64_t relro_end = 0;
    for (uint16_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_GNU_RELRO)
            relro_end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
    }
    for (uint16_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uint64_t first = info->dlpi_addr + segment->p_vaddr, end = first + segment->p_memsz;
        if (segment->p_type == PT_TLS)
            module.tls_bytes = segment->p_memsz;
        if (segment->p_type != PT_LOAD)
            continue;
        module.first = module.first == 0 || first < module.first ? first : module.first;
        module.end = end > module.end ? end : module.end;
        if ((segment->p_flags & PF_W) != 0) {
            first = first > relro_end ? first : relro_end;
            module_data = (unsigned char *)(uintptr_t)first;
            module_data_bytes = end - first;
        }
    }
    return 1;
}

static int find_thread_locals(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    if (strstr(info->dlpi_name, MODULE) == NULL)
        return 0;
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    *(uint64_t *)argument = self - (uint64_t)(uintptr_t)info->dlpi_tls_data;
    return 1;
}

/* In a thread of its own: one that is older than the module is not told of its block. */
static void *look_at_thread_locals(void *argument)
{
    dl_iterate_phdr(find_thread_locals, argument);
    return NULL;
}

static void *open_module(void)
{
    pthread_t thread;
    void *handle = dlopen("./" MODULE, RTLD_NOW);
    CHECK(handle != NULL);
    CHECK(dl_iterate_phdr(find_module, NULL) == 1);
    CHECK(module.first == MODULE_BASE && module_data_bytes <= DATA_MAX);
    CHECK(pthread_create(&thread, NULL, look_at_thread_locals, &module.tls_offset) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(snk_module_add(&module, NULL, 0) == 0);
    return dlsym(handle, "test_kernel");
}

/* ---- a process ---------------------------------------------------------------------------------------------- */

static void open_all(void)
{
    CHECK(snk_open(SIGNAL) == 0);
    CHECK(mmap((void *)(uintptr_t)ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
}

static void add_thread(void *function, uint64_t kind, uint64_t rounds)
{
    uint64_t index = arena->threads++;
    uint64_t low = ARENA + (UINT64_C(2) << 20) + index * (STACK_BYTES + SNK_SIGNAL_STACK_BYTES);
    struct snk_record *record = &arena->records[index];
    arena->jobs[index] = (struct job){.kind = kind, .rounds = rounds, .hash = index + 1};
    record->state = SNK_STATE_STARTING;
    record->function = (uint64_t)(uintptr_t)function;
    record->argument = (uint64_t)(uintptr_t)&arena->jobs[index];
    record->stack_low = low;
    record->stack_high = low + STACK_BYTES;
    record->signal_stack = low + STACK_BYTES;
}

static void start_all(void)
{
    for (uint64_t i = 0; i < arena->threads; i++) {
        uint64_t state = arena->records[i].state;
        if (state == SNK_STATE_STARTING || state == SNK_STATE_RUNNING)
            CHECK(snk_thread_start(&arena->records[i]) == 0);
    }
    snk_go();
}

static int are_all_done(void)
{
    for (uint64_t i = 0; i < arena->threads; i++) {
        if (__atomic_load_n(&arena->records[i].state, __ATOMIC_ACQUIRE) != SNK_STATE_ENDED)
            return 0;
    }
    return 1;
}

static int restore(const char *image)
{
    int fd = open(image, O_RDONLY);
    if (fd < 0)
        return 0;
    CHECK(read(fd, (void *)(uintptr_t)ARENA, ARENA_BYTES) == (ssize_t)ARENA_BYTES);
    close(fd);
    memcpy(module_data, arena->data, arena->data_bytes);
    return 1;
}

static void capture(const char *image)
{
    char fresh[4096];
    CHECK(snk_stop(10 * SECOND) == 0);
    arena->data_bytes = module_data_bytes;
    memcpy(arena->data, module_data, module_data_bytes);
    snprintf(fresh, sizeof fresh, "%s.new", image);
    int fd = open(fresh, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    CHECK(write(fd, (void *)(uintptr_t)ARENA, ARENA_BYTES) == (ssize_t)ARENA_BYTES);
    close(fd);
    CHECK(rename(fresh, image) == 0);
    snk_resume();
}

static int run(const char *image, useconds_t every)
{
    open_all();
    void *function = open_module();
    if (!restore(image)) {
        for (uint64_t kind = 0; kind < WORK_KINDS; kind++)
            add_thread(function, kind, ROUNDS);
    }
    start_all();
    while (!are_all_done()) {
        usleep(every == 0 ? 1000 : every);
        if (every != 0)
            capture(image);
    }
    for (uint64_t i = 0; i < arena->threads; i++)
        printf("%d %a %llx\n", (int)arena->jobs[i].kind, arena->jobs[i].sum, (unsigned long long)arena->jobs[i].hash);
    return 0;
}

/* ---- the parent --------------------------------------------------------------------------------------------- */

static pid_t begin(const char *image, const char *every, const char *results)
{
    char *arguments[] = {"kernel_test", "--run", (char *)(uintptr_t)image, (char *)(uintptr_t)every, NULL};
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

/* Kills processes at random moments; the results of the one that comes to the end are those of one left alone. */
static void killed_threads_go_on_where_they_stood(int kills)
{
    int status = 0, killed = 0, ended = 0;
    CHECK(waitpid(begin("none", "0", "expected"), &status, 0) > 0 && status == 0);
    while (killed < kills) {
        pid_t child = begin("image", "3000", "results");
        usleep((useconds_t)(rand() % 300000));
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
    printf("killed %d times, ended %d times with the same bits\n", killed, ended + 1);
}

/* A thread that is blocked in a system call cannot be parked: that is said in time, with the place, and all go on. */
static void who_is_blocked_in_a_system_call_is_named(void)
{
    int ends[2];
    struct snk_record *late = NULL;
    uint64_t pc = 0;
    int32_t reason = 0;
    Dl_info where = {0};
    open_all();
    void *function = open_module();
    CHECK(pipe(ends) == 0);
    add_thread(function, WORK_VECTOR, 50);
    add_thread(function, WORK_READ, (uint64_t)ends[0]);
    start_all();
    int32_t stopped;
    while ((stopped = snk_stop(SECOND / 20)) == 0) /* not yet in the call */
        snk_resume();
    CHECK(stopped == ETIMEDOUT);
    CHECK(snk_late(&late, &pc, &reason) == 0);
    CHECK(late == &arena->records[1] && reason == EINPROGRESS);
    CHECK(dladdr((void *)(uintptr_t)pc, &where) != 0 && strstr(where.dli_fname, "libc") != NULL);
    CHECK(write(ends[1], "x", 1) == 1);
    for (uint64_t i = 0; i < arena->threads; i++)
        CHECK(snk_thread_join(&arena->records[i]) == 0);
    CHECK(arena->records[1].result == 1);
    CHECK(snk_stop(SECOND) == 0); /* of nobody */
    snk_resume();
}

static void what_cannot_be_had_is_an_errno(void)
{
    CHECK(snk_abi_version() == SNK_ABI_VERSION);
    CHECK(snk_open(SIGNAL) == EBUSY);
    CHECK(snk_open(SIGRTMIN + 10) == EEXIST);
    struct snk_module large = {.first = 1, .end = 2, .tls_offset = 8, .tls_bytes = SNK_TLS_MAX + 1};
    CHECK(snk_module_add(&large, NULL, 0) == ENOSPC);
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "--run") == 0)
        return run(arguments[2], (useconds_t)atoi(arguments[3]));
    CHECK(count == 3);
    srand((unsigned)atoi(arguments[2]));
    killed_threads_go_on_where_they_stood(atoi(arguments[1]));
    who_is_blocked_in_a_system_call_is_named();
    what_cannot_be_had_is_an_errno();
    printf("kernel: ok\n");
    return 0;
}
