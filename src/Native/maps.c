/*
 * maps.c: what is mapped at an address: asked of /proc/self/maps for one address (PROCMAP_QUERY, Linux 6.11),
 * or read out of its text, which every kernel has.
 *
 * The request is younger than the headers that distributions ship, so it is defined here, from the kernel's
 * include/uapi/linux/fs.h.
 */
#include "snapshot_native.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* struct procmap_query, under a name of its own so that newer headers do not clash with it. */
struct mapping_query {
    uint64_t size; /* of this struct: its version */
    uint64_t flags;
    uint64_t address;
    uint64_t start;
    uint64_t end;
    uint64_t mapping_flags; /* MAPPING_* */
    uint64_t page_size;
    uint64_t offset;
    uint64_t inode;
    uint32_t device_major;
    uint32_t device_minor;
    uint32_t name_size;
    uint32_t build_id_size;
    uint64_t name;
    uint64_t build_id;
};

#define MAPPING_READABLE UINT64_C(1)
#define MAPPING_SHARED UINT64_C(8)
#define MAPPING_REQUEST _IOWR('f', 17, struct mapping_query)

_Static_assert(sizeof(struct mapping_query) == 104, "struct procmap_query has 104 bytes");

#define TEXT_BYTES 4096

int32_t sn_maps_open(int32_t *fd)
{
    int opened = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return errno;
    *fd = opened;
    return 0;
}

int32_t sn_maps_query(int32_t fd, uint64_t address, struct sn_mapping *mapping)
{
    struct mapping_query query = {.size = sizeof query, .address = address};
    if (ioctl(fd, MAPPING_REQUEST, &query) != 0)
        return errno;
    int is_file = query.inode != 0 || query.device_major != 0 || query.device_minor != 0;
    *mapping = (struct sn_mapping){
        .start = query.start,
        .end = query.end,
        .kind = (query.mapping_flags & MAPPING_READABLE ? SN_MAPPING_READABLE : 0) |
                (query.mapping_flags & MAPPING_SHARED ? SN_MAPPING_SHARED : 0) |
                (is_file ? SN_MAPPING_FILE : 0),
    };
    return 0;
}

/* "7f0c1a000000-7f0c1a021000 rw-p 00000000 00:00 0     [anon:name]" */
static int parse(char *line, struct sn_mapping *mapping)
{
    char *at = line;
    mapping->start = strtoull(at, &at, 16);
    if (*at++ != '-')
        return 0;
    mapping->end = strtoull(at, &at, 16);
    if (*at++ != ' ' || strlen(at) < 5)
        return 0;
    mapping->kind = (at[0] == 'r' ? SN_MAPPING_READABLE : 0) | (at[3] == 's' ? SN_MAPPING_SHARED : 0);
    at += 5;
    (void)strtoull(at, &at, 16); /* offset */
    uint64_t device = strtoull(at, &at, 16);
    if (*at++ != ':')
        return 0;
    device |= strtoull(at, &at, 16);
    if ((device | strtoull(at, &at, 10)) != 0)
        mapping->kind |= SN_MAPPING_FILE;
    return 1;
}

/* The lines that are whole; returns how many bytes they had, or -1. */
static ptrdiff_t take_lines(char *text, struct sn_mapping *list, uint64_t capacity, uint64_t *count)
{
    char *line = text;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        struct sn_mapping mapping;
        *end = '\0';
        if (!parse(line, &mapping))
            return -1;
        if (*count < capacity)
            list[*count] = mapping;
        ++*count;
    }
    return line - text;
}

/* A line is shorter than the text it is read to, but for a long path: its end says nothing more. */
static size_t keep_rest(char *text, size_t length, size_t done)
{
    size_t rest = length - done;
    if (rest == TEXT_BYTES)
        rest = TEXT_BYTES / 2;
    memmove(text, text + done, rest);
    return rest;
}

int32_t sn_maps_list(struct sn_mapping *list, uint64_t capacity, uint64_t *count)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    char text[TEXT_BYTES + 1];
    size_t length = 0;
    int32_t error = 0;
    *count = 0;
    for (;;) {
        ssize_t got = read(fd, text + length, TEXT_BYTES - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            error = got < 0 ? errno : 0;
            break;
        }
        length += (size_t)got;
        text[length] = '\0';
        ptrdiff_t done = take_lines(text, list, capacity, count);
        if (done < 0) {
            error = EBADMSG;
            break;
        }
        length = keep_rest(text, length, (size_t)done);
    }
    close(fd);
    return error != 0 ? error : *count > capacity ? ERANGE : 0;
}
