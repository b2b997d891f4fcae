/* check.h: what the C tests share. A failed check says where and what, and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../snapshot_native.h"

#define PAGE UINT64_C(4096)
#define HUGE_PAGE (UINT64_C(2) << 20)

/* Addresses nobody else maps: where arenas begin, far from what the sanitizers use. */
#define TEST_BASE UINT64_C(0x210000000000)

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define CHECK_EQUAL(actual, expected) \
    do { \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected); \
        if (actual_ != expected_) { \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_, \
                    expected_); \
            exit(1); \
        } \
    } while (0)

static inline volatile unsigned char *bytes_at(uint64_t address)
{
    return (volatile unsigned char *)(uintptr_t)address;
}

void test_memory(void);
void test_track(void);
void test_maps(void);
void test_futex(void);
void test_file(void);
void test_thread(void);
void test_decode(void);
void test_fill(void);
void test_freeze(void);
void test_device(void);
void test_foreign(void);
void test_slots(void);
void test_signal(void);
void test_limit_signal(void);
void test_lock(void);
void test_layout(void);
void test_invariant(void);

#endif
