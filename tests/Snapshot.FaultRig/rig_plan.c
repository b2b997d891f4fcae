/*
 * rig_plan.c: which call is hit, and by what. One plan at a time; the counters are of the whole process.
 */
#include "rig.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

long (*rig_raw)(long, ...);

static const char *const s_names[RIG_KINDS + 1] = {
    "open", "close", "read", "write", "sync", "rename", "unlink", "truncate", "stat", "lock", "fcntl", "mkdir",
    "opendir", "readdir", "allocate", "mode", "link", "access", "mmap", "munmap", "madvise", "mprotect", "ioctl",
    "thread", "futex", "userfaultfd", "syscall", "any",
};

static const char *const s_actions[] = { "nothing", "fail", "short", "delay", "tear", "kill", "kill-after" };

static char s_prefix[4096];
static char s_part[256];
static const char *s_library = "snapshot_native";
static _Atomic uintptr_t s_library_start, s_library_end;
static atomic_int s_kind, s_action, s_value, s_each;
static atomic_llong s_nth, s_seen, s_hits;
static atomic_llong s_counts[RIG_KINDS];
static char s_last_path[4096];

void *rig_real(const char *name)
{
    void *real = dlsym(RTLD_NEXT, name);
    if (real == NULL) {
        fprintf(stderr, "rig: libc has no %s\n", name);
        abort();
    }
    return real;
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int index = 0; index < count; index++) {
        if (strcmp(names[index], name) == 0)
            return index;
    }
    fprintf(stderr, "rig: what is '%s'?\n", name);
    abort();
}

static long long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text == NULL ? 0 : atoll(text);
}

/* Before all else, also before calls that other constructors make. */
void rig_load(void)
{
    if (rig_raw == NULL)
        *(void **)&rig_raw = rig_real("syscall");
}

__attribute__((constructor)) static void begin(void)
{
    rig_load();
    const char *text = getenv("RIG_LIBRARY");
    if (text != NULL)
        s_library = text;
    text = getenv("RIG_PART");
    if (text != NULL)
        snprintf(s_part, sizeof s_part, "%s", text);
    text = getenv("RIG_PATH");
    if (text != NULL)
        rig_watch(text);
    text = getenv("RIG_RECORD");
    if (text != NULL && rig_record(text) != 0)
        abort();
    const char *kind = getenv("RIG_CALL");
    const char *action = getenv("RIG_ACTION");
    if (kind != NULL) {
        rig_arm(
            index_of(s_names, RIG_KINDS + 1, kind), number_of("RIG_NTH"),
            action == NULL ? RIG_FAIL : index_of(s_actions, RIG_KILL_AFTER + 1, action), (int)number_of("RIG_VALUE"),
            (int)number_of("RIG_EACH"));
    }
}

__attribute__((destructor)) static void end(void)
{
    const char *file = getenv("RIG_COUNT");
    if (file == NULL)
        return;
    FILE *counts = fopen(file, "we");
    if (counts == NULL)
        return;
    for (int kind = 0; kind < RIG_KINDS; kind++)
        fprintf(counts, "%s %lld\n", s_names[kind], atomic_load(&s_counts[kind]));
    fclose(counts);
}

void rig_watch(const char *prefix)
{
    snprintf(s_prefix, sizeof s_prefix, "%s", prefix);
}

void rig_arm(int32_t kind, int64_t nth, int32_t action, int32_t value, int32_t each)
{
    rig_disarm();
    atomic_store(&s_kind, kind);
    atomic_store(&s_value, value);
    atomic_store(&s_each, each);
    atomic_store(&s_nth, nth);
    atomic_store(&s_seen, 0);
    atomic_store(&s_hits, 0);
    atomic_store(&s_action, action);
}

void rig_disarm(void)
{
    atomic_store(&s_action, RIG_NOTHING);
}

int64_t rig_hits(void)
{
    return atomic_load(&s_hits);
}

int64_t rig_count(int32_t kind)
{
    return atomic_load(&s_counts[kind]);
}

void rig_reset_counts(void)
{
    for (int kind = 0; kind < RIG_KINDS; kind++)
        atomic_store(&s_counts[kind], 0);
}

const char *rig_name(int32_t kind)
{
    return kind >= 0 && kind <= RIG_KINDS ? s_names[kind] : "";
}

void rig_last_path(char *to, int32_t bytes)
{
    snprintf(to, (size_t)bytes, "%s", s_last_path);
}

int rig_is_about(const char *path)
{
    if (path == NULL)
        return 0;
    if (s_part[0] != '\0')
        return strstr(path, s_part) != NULL;
    return s_prefix[0] != '\0' && strncmp(path, s_prefix, strlen(s_prefix)) == 0;
}

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (strstr(info->dlpi_name, s_library) == NULL)
        return 0;
    uintptr_t start = UINTPTR_MAX, stop = 0;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        if (part->p_type != PT_LOAD)
            continue;
        uintptr_t from = info->dlpi_addr + part->p_vaddr;
        if (from < start)
            start = from;
        if (from + part->p_memsz > stop)
            stop = from + part->p_memsz;
    }
    atomic_store(&s_library_start, start);
    atomic_store(&s_library_end, stop);
    return 1;
}

int rig_is_native(const void *caller)
{
    if (atomic_load(&s_library_end) == 0)
        dl_iterate_phdr(find_library, NULL);
    uintptr_t at = (uintptr_t)caller;
    return at >= atomic_load(&s_library_start) && at < atomic_load(&s_library_end);
}

static void die(void)
{
    rig_raw(SYS_kill, rig_raw(SYS_getpid), SIGKILL);
    for (;;)
        rig_raw(SYS_sched_yield);
}

static int is_hit(const struct rig_call *call)
{
    int kind = atomic_load(&s_kind);
    if (atomic_load(&s_action) == RIG_NOTHING)
        return 0;
    if (kind == RIG_ANY ? call->kind >= RIG_FILE_KINDS : kind != (int)call->kind)
        return 0;
    long long seen = atomic_fetch_add(&s_seen, 1) + 1;
    long long nth = atomic_load(&s_nth);
    return seen == nth || (seen > nth && atomic_load(&s_each) != 0);
}

/* Half of it, in whole sectors where there are several: what direct I/O would leave. */
static size_t half_of(size_t length)
{
    size_t half = length / 2;
    return half >= 512 ? half & ~(size_t)511 : half;
}

/* Whether the call is to be made; if not, it has failed with call->error. */
int rig_begin(struct rig_call *call)
{
    atomic_fetch_add(&s_counts[call->kind], 1);
    if (!is_hit(call)) {
        rig_log_enter(call);
        return 1;
    }

    call->action = (enum rig_action)atomic_load(&s_action);
    atomic_fetch_add(&s_hits, 1);
    snprintf(s_last_path, sizeof s_last_path, "%s", call->path == NULL ? "" : call->path);
    if (call->action == RIG_KILL)
        die();
    if (call->action == RIG_DELAY) {
        int value = atomic_load(&s_value);
        struct timespec time = { value / 1000000, value % 1000000 * 1000L };
        rig_raw(SYS_nanosleep, &time, NULL);
    }
    if ((call->action == RIG_SHORT || call->action == RIG_TEAR) && call->length > 1)
        call->length = half_of(call->length);
    rig_log_enter(call);
    if (call->action != RIG_FAIL)
        return 1;
    call->error = atomic_load(&s_value);
    return 0;
}

/* The result of the call as the program sees it; errno is the call's, or the fault's. */
long rig_end(struct rig_call *call, long result)
{
    int error = call->error;
    if (error != 0)
        result = -1;
    else if (result == -1)
        error = errno;
    call->error = error;
    rig_log_leave(call, result);
    if (call->action == RIG_TEAR || call->action == RIG_KILL_AFTER)
        die();
    if (result == -1)
        errno = error;
    return result;
}
