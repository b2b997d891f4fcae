/* decode_test.c: checksums are the same by pairs and by wider vectors. A test in C# holds them to its own. */
#include "check.h"

#include <string.h>

#include "../decode.h"

#define MOST (3 * 4096u)

static void both_ways_are_the_same(const uint8_t *bytes, size_t length)
{
    sn_decode_only_pairs(1);
    uint64_t checksum = sn_checksum(bytes, length), narrow[2], wide[2];
    if (length >= SN_PAGE_BYTES)
        sn_page_hash(bytes, narrow);
    sn_decode_only_pairs(0);
    CHECK_EQUAL(sn_checksum(bytes, length), checksum);
    if (length < SN_PAGE_BYTES)
        return;
    sn_page_hash(bytes, wide);
    CHECK_EQUAL(wide[0], narrow[0]);
    CHECK_EQUAL(wide[1], narrow[1]);
}

void test_decode(void)
{
    static uint8_t bytes[MOST + 64];
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        noise = noise * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(noise >> 24);
    }
    for (size_t length = 241; length <= MOST; length += length < 2200 ? 1 : 331)
        both_ways_are_the_same(bytes + length % 64, length);
    memset(bytes, 0xff, sizeof bytes);
    both_ways_are_the_same(bytes, MOST);
}
