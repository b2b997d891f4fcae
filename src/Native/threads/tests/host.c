/* host.c: see host.h. It does what the managed host does, as simply as possible. */
#include "host.h"

#include "../call.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA UINT64_C(0x200000000000)
#define STACKS (ARENA + (UINT64_C(1) << 20))
#define HEAP (ARENA + (UINT64_C(9) << 20))
#define HEAP_BYTES (UINT64_C(7) << 20)
#define ARENA_BYTES (UINT64_C(16) << 20)
#define UNSAFE_MAX 256u

struct arena *const arena = (struct arena *)(uintptr_t)ARENA;

struct loaded {
    const char *name;
    void *handle;
    struct snt_module module;
    unsigned char *data;
    uint64_t data_bytes;
    uint64_t offset; /* of its addresses */
};

static struct loaded s_modules[MODULE_COUNT] = {
    {.name = "libthreads_test_module.so"},
    {.name = "libthreads_test_runtime.so"},
    {.name = "libthreads_test_cxx.so"},
};
static pthread_mutex_t s_answering = PTHREAD_MUTEX_INITIALIZER;

/* ---- modules ------------------------------------------------------------------------------------------- */

/* The writable part that is captured: what the dynamic linker has written is not. */
static int find_data(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct loaded *loaded = argument;
    if (strstr(info->dlpi_name, loaded->name) == NULL)
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
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0) {
            first = first > relro_end ? first : relro_end;
            loaded->data = (unsigned char *)(uintptr_t)first;
            loaded->data_bytes = end - first;
        }
    }
    return 1;
}

static int is_of_unwinder(const char *name)
{
    static const char *const beginnings[] = {"_Unwind_", "uw_", "__gxx_personality_", "__gcc_personality_"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return 1;
    }
    return 0;
}

/* The functions of a module that unwind, by its symbols. */
static uint32_t find_unsafe(const struct loaded *loaded, struct snt_range *unsafe)
{
    char path[256];
    struct stat status;
    uint32_t count = 0;
    snprintf(path, sizeof path, "./%s", loaded->name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    const char *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    const ElfW(Ehdr) *header = (const void *)file;
    const ElfW(Shdr) *sections = (const void *)(file + header->e_shoff);
    for (uint16_t i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const char *names = file + sections[sections[i].sh_link].sh_offset;
        const ElfW(Sym) *symbols = (const void *)(file + sections[i].sh_offset);
        for (uint64_t n = 0; n < sections[i].sh_size / sizeof *symbols; n++) {
            uint64_t first = loaded->offset + symbols[n].st_value;
            if (symbols[n].st_size == 0 || symbols[n].st_shndx == SHN_UNDEF ||
                !is_of_unwinder(names + symbols[n].st_name))
                continue;
            CHECK(count < UNSAFE_MAX);
            unsafe[count++] = (struct snt_range){first, first + symbols[n].st_size};
        }
    }
    munmap((void *)(uintptr_t)file, (size_t)status.st_size);
    close(fd);
    return count;
}

static void load(struct loaded *loaded)
{
    char path[256], error[1024] = "";
    struct snt_range unsafe[UNSAFE_MAX];
    snprintf(path, sizeof path, "./%s", loaded->name);
    if (snt_module_load(path, &loaded->handle, &loaded->module, &loaded->offset, error, sizeof error) != 0)
        fprintf(stderr, "%s\n", error);
    CHECK(loaded->handle != NULL);
    CHECK(dl_iterate_phdr(find_data, loaded) == 1);
    CHECK(loaded->module.first >> 40 == 0x18 && loaded->data_bytes <= sizeof arena->data[0]);
    CHECK(snt_module_add(&loaded->module, unsafe, find_unsafe(loaded, unsafe)) == 0);
}

void *host_function(int module, const char *name)
{
    void *function = snt_module_symbol(s_modules[module].handle, name);
    CHECK(function != NULL);
    return function;
}

/* ---- the arena ----------------------------------------------------------------------------------------- */

/* What the constructors of modules allocate in a new process is forgotten. */
static void load_all(int is_restored)
{
    void *scratch = NULL;
    if (is_restored) {
        scratch = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(snt_heap_open(scratch, HEAP_BYTES, 0) == 0);
    }
    for (int i = 0; i < MODULE_COUNT; i++)
        load(&s_modules[i]);
}

/* A handler that runs for some microseconds on top of whatever the thread does. */
static void on_trap(int number)
{
    (void)number;
    for (volatile int i = 0; i < 20000; i++)
        continue;
}

int host_open(const char *image)
{
    struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_ONSTACK | SA_RESTART};
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    CHECK(snt_open(SIGNAL) == 0);
    CHECK(mmap((void *)(uintptr_t)ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
    _Static_assert(sizeof(struct arena) <= UINT64_C(1) << 20, "");
    snt_fibers_may_wait(getpid() & 1);
    int fd = open(image, O_RDONLY);
    if (fd < 0) {
        CHECK(snt_heap_open((void *)(uintptr_t)HEAP, HEAP_BYTES, 0) == 0);
        load_all(0);
        return 0;
    }
    load_all(1);
    CHECK(read(fd, (void *)(uintptr_t)ARENA, ARENA_BYTES) == (ssize_t)ARENA_BYTES);
    close(fd);
    CHECK(snt_heap_open((void *)(uintptr_t)HEAP, HEAP_BYTES, 1) == 0);
    for (int i = 0; i < MODULE_COUNT; i++)
        memcpy(s_modules[i].data, arena->data[i], s_modules[i].data_bytes);
    return 1;
}

struct snt_record *host_add(void *function, void *argument)
{
    uint64_t index = arena->threads++;
    uint64_t low = STACKS + index * (STACK_BYTES + SNT_SIGNAL_STACK_BYTES);
    struct snt_record *record = &arena->records[index];
    CHECK(index < THREADS_MAX && low + STACK_BYTES + SNT_SIGNAL_STACK_BYTES <= HEAP);
    record->state = SNT_STATE_STARTING;
    record->function = (uint64_t)(uintptr_t)function;
    record->argument = (uint64_t)(uintptr_t)argument;
    record->stack_low = low;
    record->stack_high = low + STACK_BYTES;
    record->signal_stack = low + STACK_BYTES;
    record->owner = (uint32_t)index + 1;
    return record;
}

void host_capture(const char *image)
{
    char fresh[4096];
    pthread_mutex_lock(&s_answering);
    int32_t stopped;
    while ((stopped = snt_stop(10 * SECOND)) == EAGAIN)
        host_answer();
    if (stopped != 0) {
        struct snt_record *record = NULL;
        uint64_t pc = 0;
        int32_t reason = 0;
        snt_late(&record, &pc, &reason);
        fprintf(stderr, "late: thread %d, reason %d, at %llx\n", (int)(record - arena->records), reason,
                (unsigned long long)pc);
    }
    CHECK(stopped == 0);
    for (int i = 0; i < MODULE_COUNT; i++)
        memcpy(arena->data[i], s_modules[i].data, s_modules[i].data_bytes);
    snprintf(fresh, sizeof fresh, "%s.new", image);
    int fd = open(fresh, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    CHECK(write(fd, (void *)(uintptr_t)ARENA, ARENA_BYTES) == (ssize_t)ARENA_BYTES);
    close(fd);
    CHECK(rename(fresh, image) == 0);
    snt_resume();
    pthread_mutex_unlock(&s_answering);
}

/* ---- answers ------------------------------------------------------------------------------------------- */

static uint64_t allocate(uint64_t bytes, uint64_t alignment)
{
    uint64_t at = (arena->allocated + alignment - 1) & ~(alignment - 1);
    if (bytes > sizeof arena->blocks - at)
        at = 0; /* blocks are freed soon after: they go round */
    arena->allocated = at + bytes;
    memset(arena->blocks + at, 0, bytes);
    return (uint64_t)(uintptr_t)arena->blocks + at;
}

static int is_shared(const struct snt_question *question)
{
    return question->arguments[1] == 6 &&
           memcmp((const char *)(uintptr_t)question->arguments[0], "shared", 6) == 0;
}

static void answer(struct snt_record *record)
{
    struct snt_question *question = &record->question;
    uint32_t *word = (uint32_t *)(uintptr_t)question->arguments[0];
    switch (question->kind) {
    case SNT_ASKS_ALLOCATE:
        question->answer = allocate(question->arguments[0], question->arguments[1]);
        break;
    case SNT_ASKS_ROOT:
        question->answer = is_shared(question) ? (uint64_t)(uintptr_t)&arena->shared : 0;
        break;
    case SNT_ASKS_ROOT_BYTES:
        question->answer = is_shared(question) ? sizeof arena->shared : 0;
        break;
    case SNT_ASKS_LEAVE:
        CHECK((__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) & 0x7fffffff) == record->owner);
        snt_wake(word, 1);
        break;
    default:
        question->answer = 0;
        break;
    }
    snt_answered(record);
}

void host_answer(void)
{
    for (uint64_t i = 0; i < arena->threads; i++) {
        if (__atomic_load_n(&arena->records[i].question.state, __ATOMIC_ACQUIRE) == SNT_ASKED)
            answer(&arena->records[i]);
    }
}

static void *answer_all(void *argument)
{
    for (;;) {
        uint32_t *questions = snt_questions(), seen = __atomic_load_n(questions, __ATOMIC_SEQ_CST);
        pthread_mutex_lock(&s_answering); /* not while memory is captured */
        host_answer();
        pthread_mutex_unlock(&s_answering);
        snt_sleep(questions, seen);
    }
    return argument;
}

void host_start(void)
{
    pthread_t thread;
    snt_hold();
    for (uint64_t i = 0; i < arena->threads; i++) {
        uint64_t state = arena->records[i].state;
        if (state == SNT_STATE_STARTING || state == SNT_STATE_RUNNING)
            CHECK(snt_thread_start(&arena->records[i]) == 0);
    }
    snt_go();
    CHECK(pthread_create(&thread, NULL, answer_all, NULL) == 0);
}

int host_are_all_done(void)
{
    for (uint64_t i = 0; i < arena->threads; i++) {
        if (__atomic_load_n(&arena->records[i].state, __ATOMIC_ACQUIRE) != SNT_STATE_ENDED)
            return 0;
    }
    return 1;
}
