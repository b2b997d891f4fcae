/*
 * vector.h: vectors of 16 bytes, as GCC and Clang know them on every processor, and the two instructions for
 * which they have no words: a multiplication of halves, which plain C makes three of, and a store past the
 * cache. Internal to the C part.
 */
#ifndef SNAPSHOT_VECTOR_H
#define SNAPSHOT_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#error "Snapshot runs on x86-64 and arm64"
#endif

#define SN_VECTOR_BYTES 16u

typedef uint8_t sn_bytes __attribute__((vector_size(SN_VECTOR_BYTES), may_alias));
typedef uint32_t sn_words __attribute__((vector_size(SN_VECTOR_BYTES), may_alias));
typedef uint64_t sn_pair __attribute__((vector_size(SN_VECTOR_BYTES), may_alias));

/* GCC before 12 has no __builtin_shufflevector, and Clang has no __builtin_shuffle. */
#if defined(__clang__)
#define SN_SHUFFLE(type, left, right, ...) __builtin_shufflevector(left, right, __VA_ARGS__)
#else
#define SN_SHUFFLE(type, left, right, ...) __builtin_shuffle(left, right, (type){__VA_ARGS__})
#endif

/* From any address. */
static inline sn_bytes sn_load_bytes(const uint8_t *from)
{
    sn_bytes value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline sn_pair sn_load_pair(const uint8_t *from)
{
    return (sn_pair)sn_load_bytes(from);
}

/* To any address. */
static inline void sn_store_bytes(uint8_t *to, sn_bytes value)
{
    memcpy(to, &value, sizeof value);
}

/* The first eight bytes of both in turn, and the last eight. */
static inline sn_bytes sn_interleave_low(sn_bytes left, sn_bytes right)
{
    return SN_SHUFFLE(sn_bytes, left, right, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline sn_bytes sn_interleave_high(sn_bytes left, sn_bytes right)
{
    return SN_SHUFFLE(sn_bytes, left, right, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/*
 * The two numbers in the other order. By words: GCC makes one instruction of that on x86-64, and two of
 * pairs.
 */
static inline sn_pair sn_swap(sn_pair value)
{
    return (sn_pair)SN_SHUFFLE(sn_words, (sn_words)value, (sn_words)value, 2, 3, 0, 1);
}

/*
 * Adds to a sum what was just made. On x86-64 the statement of no instructions keeps GCC from adding the
 * parts of that one after the other, each waiting for the sum: checksums took a tenth more time.
 */
static inline sn_pair sn_add_to(sn_pair sum, sn_pair made)
{
#if defined(__x86_64__)
    __asm__("" : "+x"(made));
#endif
    return sum + made;
}

/* The products of the lower 32 bits. */
static inline sn_pair sn_multiply_low(sn_pair left, sn_pair right)
{
#if defined(__x86_64__)
    return (sn_pair)_mm_mul_epu32((__m128i)left, (__m128i)right);
#else
    return (sn_pair)vmull_u32(vmovn_u64((uint64x2_t)left), vmovn_u64((uint64x2_t)right));
#endif
}

/* Stores past the cache where C has such a store; whoever is to see it is told after sn_stores_end. */
static inline void sn_store_past_cache(sn_pair *to, sn_pair value)
{
#if defined(__x86_64__)
    _mm_stream_si128((__m128i *)(void *)to, (__m128i)value);
#else
    *to = value;
#endif
}

static inline void sn_stores_end(void)
{
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

#endif
