/* maps_test.c: both ways of asking what is mapped tell the same, and what it is. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY UINT64_C(65536)

static struct sn_mapping s_list[MANY];

static uint64_t map(uint64_t bytes, int access, int flags, int fd)
{
    void *at = mmap(NULL, bytes, access, flags, fd, 0);
    CHECK(at != MAP_FAILED);
    return (uint64_t)(uintptr_t)at;
}

/* The kind of what an address is in, by the text; 0 with *found == 0 where nothing is. */
static uint64_t listed(uint64_t address, int *found)
{
    uint64_t count = 0;
    CHECK_EQUAL(sn_maps_list(s_list, MANY, &count), 0);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            CHECK(s_list[i].start >= s_list[i - 1].end);
        if (address < s_list[i].start || address >= s_list[i].end)
            continue;
        *found = 1;
        return s_list[i].kind;
    }
    *found = 0;
    return 0;
}

/* Expects a kind both by the text and, where the kernel has it, by the request. */
static void expect(int32_t maps, uint64_t address, uint64_t kind)
{
    int found = 0;
    CHECK_EQUAL(listed(address, &found), kind);
    CHECK_EQUAL(found, 1);
    struct sn_mapping mapping = {0};
    int32_t error = sn_maps_query(maps, address, &mapping);
    if (error == ENOTTY)
        return;
    CHECK_EQUAL(error, 0);
    CHECK_EQUAL(mapping.kind, kind);
    CHECK(mapping.start <= address && address < mapping.end);
}

static void kinds_are_told_apart(int32_t maps)
{
    int fd = memfd_create("maps_test", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)PAGE) == 0);
    uint64_t own = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint64_t closed = map(PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint64_t both = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    uint64_t file = map(PAGE, PROT_READ, MAP_PRIVATE, fd);
    uint64_t shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    expect(maps, own + PAGE, SN_MAPPING_READABLE);
    expect(maps, closed, 0);
    expect(maps, both, SN_MAPPING_READABLE | SN_MAPPING_SHARED | SN_MAPPING_FILE);
    expect(maps, file, SN_MAPPING_READABLE | SN_MAPPING_FILE);
    expect(maps, shared, SN_MAPPING_READABLE | SN_MAPPING_SHARED | SN_MAPPING_FILE);

    struct sn_mapping mapping;
    int found = 1;
    CHECK_EQUAL(munmap((void *)(uintptr_t)(own + PAGE), PAGE), 0);
    listed(own + PAGE, &found);
    CHECK_EQUAL(found, 0);
    int32_t error = sn_maps_query(maps, own + PAGE, &mapping);
    CHECK(error == ENOENT || error == ENOTTY);
    expect(maps, own, SN_MAPPING_READABLE);
    expect(maps, own + 2 * PAGE, SN_MAPPING_READABLE);
    close(fd);
}

/* Each line is longer than the text that is read at once has room for beside another. */
static void long_paths_are_read_over(int32_t maps)
{
    char home[4096], step[201];
    CHECK(getcwd(home, sizeof home) != NULL);
    char folder[] = "/tmp/maps_test.XXXXXX";
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    for (size_t i = 0; i + 1 < sizeof step; i++)
        step[i] = 'x';
    step[sizeof step - 1] = '\0';
    int depth = 0;
    while (depth < 17 && mkdir(step, 0700) == 0 && chdir(step) == 0)
        depth++;
    CHECK_EQUAL(depth, 17);
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 9 * (off_t)PAGE) == 0);
    uint64_t at[8];
    for (int i = 0; i < 8; i++)
        at[i] = map(PAGE, i % 2 ? PROT_READ : PROT_NONE, MAP_SHARED, fd);
    for (int i = 0; i < 8; i++)
        expect(maps, at[i], (i % 2 ? SN_MAPPING_READABLE : 0) | SN_MAPPING_SHARED | SN_MAPPING_FILE);
    close(fd);
    CHECK_EQUAL(unlink("f"), 0);
    while (depth-- > 0)
        CHECK(chdir("..") == 0 && rmdir(step) == 0);
    CHECK(chdir(home) == 0 && rmdir(folder) == 0);
}

void test_maps(void)
{
    int32_t maps = -1;
    uint64_t count = 0;
    CHECK_EQUAL(sn_maps_open(&maps), 0);
    kinds_are_told_apart(maps);
    long_paths_are_read_over(maps);
    CHECK_EQUAL(sn_maps_list(s_list, 1, &count), ERANGE);
    CHECK(count > 1);
    struct sn_mapping mapping;
    CHECK_EQUAL(sn_maps_query(-1, PAGE, &mapping), EBADF);
    CHECK_EQUAL(sn_close(maps), 0);
}
