/*
 * threads_bench.c: how long it takes to stop, to resume and to restore threads that all compute. Where that
 * is permitted the thread that measures has a real-time priority: else its figures would tell how long it
 * waits for its own turn.
 *
 * threads_bench THREADS STOPS                 prints medians; restores in a process of its own
 * threads_bench --restore IMAGE THREADS FROM  the restore; FROM: when it was asked for, in nanoseconds
 */
#include "host.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REGION UINT64_C(0x210000000000)
#define SMALL_STACK UINT64_C(16384)

struct slot {
    struct snt_record record;
    struct runtime_job job;
};

static struct slot *const slots = (struct slot *)(uintptr_t)REGION;
static uint64_t s_threads;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t stacks(void)
{
    return (REGION + s_threads * sizeof(struct slot) + 4095) & ~UINT64_C(4095);
}

static uint64_t region_bytes(void)
{
    return stacks() - REGION + s_threads * (SMALL_STACK + SNT_SIGNAL_STACK_BYTES);
}

static void map_region(void)
{
    CHECK(mmap((void *)(uintptr_t)REGION, region_bytes(), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
}

static void make(uint64_t index, void *function)
{
    uint64_t low = stacks() + index * (SMALL_STACK + SNT_SIGNAL_STACK_BYTES);
    struct slot *slot = &slots[index];
    slot->job = (struct runtime_job){.kind = RUNTIME_SPIN, .rounds = 1};
    slot->record = (struct snt_record){
        .state = SNT_STATE_STARTING,
        .function = (uint64_t)(uintptr_t)function,
        .argument = (uint64_t)(uintptr_t)&slot->job,
        .stack_low = low,
        .stack_high = low + SMALL_STACK,
        .signal_stack = low + SMALL_STACK,
        .owner = (uint32_t)index + 1,
    };
}

/* Threads inherit the priority of who makes them, so it is raised after that. */
static void start_all(void)
{
    struct sched_param first = {.sched_priority = 1};
    snt_hold();
    for (uint64_t i = 0; i < s_threads; i++)
        CHECK(snt_thread_start(&slots[i].record) == 0);
    sched_setscheduler(0, SCHED_FIFO, &first);
    snt_go();
}

static void wait_until_all_have_moved(const uint64_t *from)
{
    for (uint64_t i = 0; i < s_threads; i++) {
        while (__atomic_load_n(&slots[i].job.hash, __ATOMIC_RELAXED) == from[i])
            usleep(100);
    }
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static void print(const char *what, int64_t *times, uint32_t count)
{
    qsort(times, count, sizeof times[0], compare);
    printf("%-24s median %8.1f us, p95 %8.1f us, longest %8.1f us\n", what, (double)times[count / 2] / 1e3,
           (double)times[count * 95 / 100] / 1e3, (double)times[count - 1] / 1e3);
}

static int restore(const char *image, int64_t from)
{
    uint64_t *before = calloc(s_threads, sizeof *before);
    CHECK(before != NULL);
    host_open("none");
    map_region();
    int fd = open(image, O_RDONLY);
    uint64_t bytes = region_bytes();
    for (uint64_t at = 0; at < bytes;) {
        ssize_t got = read(fd, (void *)(uintptr_t)(REGION + at), bytes - at);
        CHECK(got > 0);
        at += (uint64_t)got;
    }
    for (uint64_t i = 0; i < s_threads; i++)
        before[i] = slots[i].job.hash;
    int64_t begun = now_ns();
    start_all();
    int64_t gone = now_ns();
    CHECK(snt_stop(60 * SECOND) == 0); /* which waits until every thread has entered its context */
    int64_t entered = now_ns();
    snt_resume();
    wait_until_all_have_moved(before);
    int64_t moved = now_ns();
    printf("restore: %.1f ms until the image was read, then threads started after %.1f ms, all in their "
           "contexts after "
           "%.1f ms, each has computed after %.1f ms\n",
           (double)(begun - from) / 1e6, (double)(gone - begun) / 1e6, (double)(entered - begun) / 1e6,
           (double)(moved - begun) / 1e6);
    return 0;
}

static void write_image(const char *image)
{
    int fd = open(image, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    uint64_t bytes = region_bytes();
    for (uint64_t at = 0; at < bytes;) {
        ssize_t put = write(fd, (void *)(uintptr_t)(REGION + at), bytes - at);
        CHECK(put > 0);
        at += (uint64_t)put;
    }
    close(fd);
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "--restore") == 0) {
        s_threads = (uint64_t)atoi(arguments[3]);
        return restore(arguments[2], atoll(arguments[4]));
    }
    CHECK(count == 3);
    s_threads = (uint64_t)atoi(arguments[1]);
    uint32_t stops = (uint32_t)atoi(arguments[2]);
    uint64_t *before = calloc(s_threads, sizeof *before);
    int64_t *stopped = calloc(stops, sizeof *stopped), *resumed = calloc(stops, sizeof *resumed);
    CHECK(before != NULL && stopped != NULL && resumed != NULL);
    host_open("none");
    map_region();
    for (uint64_t i = 0; i < s_threads; i++)
        make(i, host_function(MODULE_RUNTIME, "test_runtime"));
    start_all();
    for (uint32_t i = 0; i < stops; i++) {
        wait_until_all_have_moved(before); /* who is still parked from the last time is parked sooner */
        int64_t from = now_ns();
        CHECK(snt_stop(60 * SECOND) == 0);
        int64_t parked = now_ns();
        stopped[i] = parked - from;
        for (uint64_t n = 0; n < s_threads; n++)
            before[n] = slots[n].job.hash;
        int64_t copied = now_ns();
        snt_resume();
        resumed[i] = now_ns() - copied;
    }
    print("stop", stopped, stops);
    print("resume", resumed, stops);
    CHECK(snt_stop(60 * SECOND) == 0);
    write_image("bench-image");
    fflush(stdout);
    struct sched_param none = {.sched_priority = 0};
    sched_setscheduler(0, SCHED_OTHER, &none);
    char from[32];
    snprintf(from, sizeof from, "%lld", (long long)now_ns());
    execl("/proc/self/exe", "threads_bench", "--restore", "bench-image", arguments[1], from, (char *)NULL);
    return 1;
}
