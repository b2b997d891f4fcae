/* decode.c: checksums, LZ4 and the byte shuffle, for threads that must not run managed code (see fill.c). */
#include "decode.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "vector.h"

/* ---- XXH3, the variant for long inputs ----------------------------------------------------------------- */

#define PRIME32_1 UINT64_C(0x9E3779B1)
#define PRIME32_2 UINT64_C(0x85EBCA77)
#define PRIME32_3 UINT64_C(0xC2B2AE3D)
#define PRIME64_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME64_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME64_3 UINT64_C(0x165667B19E3779F9)
#define PRIME64_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME64_5 UINT64_C(0x27D4EB2F165667C5)
#define AVALANCHE UINT64_C(0x165667919E3779F9)

#define STRIPE 64u
#define SECRET 192u
#define STRIPES_PER_BLOCK ((SECRET - STRIPE) / 8)
#define LANES 4 /* of 16 bytes */

/* The default secret of the algorithm. */
static const uint8_t secret[SECRET] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

static uint64_t read64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void accumulate(sn_pair sums[LANES], const uint8_t *stripe, const uint8_t *key)
{
    for (int lane = 0; lane < LANES; lane++) {
        sn_pair data = sn_load_pair(stripe + 16 * lane);
        sn_pair keyed = data ^ sn_load_pair(key + 16 * lane);
        sums[lane] = sn_add_to(sums[lane], sn_multiply_low(keyed, keyed >> 32) + sn_swap(data));
    }
}

static void scramble(sn_pair sums[LANES])
{
    const sn_pair prime = {PRIME32_1, PRIME32_1};
    for (int lane = 0; lane < LANES; lane++) {
        sn_pair mixed = sums[lane] ^ sums[lane] >> 47;
        mixed ^= sn_load_pair(secret + SECRET - STRIPE + 16 * lane);
        sums[lane] = sn_multiply_low(mixed, prime) + (sn_multiply_low(mixed >> 32, prime) << 32);
    }
}

static const uint64_t first_sums[2 * LANES] = {PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3,
                                               PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1};

/* The walk over the bytes, with any width of vectors. */
#define SUM_UP(sums, bytes, length, accumulate, scramble) \
    do { \
        const size_t block = STRIPE * STRIPES_PER_BLOCK, all = (length), whole = (all - 1) / block; \
        for (size_t i = 0; i < whole; i++) { \
            for (size_t stripe = 0; stripe < STRIPES_PER_BLOCK; stripe++) \
                accumulate(sums, (bytes) + i * block + stripe * STRIPE, secret + 8 * stripe); \
            scramble(sums); \
        } \
        const size_t rest = (all - 1 - whole * block) / STRIPE; \
        for (size_t stripe = 0; stripe < rest; stripe++) \
            accumulate(sums, (bytes) + whole * block + stripe * STRIPE, secret + 8 * stripe); \
        accumulate(sums, (bytes) + all - STRIPE, secret + SECRET - STRIPE - 7); \
    } while (0)

static void sum_up_by_pairs(const uint8_t *bytes, size_t length, uint64_t result[2 * LANES])
{
    sn_pair sums[LANES];
    memcpy(sums, first_sums, sizeof sums);
    SUM_UP(sums, bytes, length, accumulate, scramble);
    memcpy(result, sums, sizeof sums);
}

#if defined(__x86_64__)

/* The same with AVX2, two pairs at once: 49 GB/s of what is in the cache, where pairs make 19. */

#define WIDE __attribute__((target("avx2")))

WIDE static inline __m256i load_wide(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

WIDE static inline void accumulate_wide(__m256i sums[LANES / 2], const uint8_t *stripe, const uint8_t *key)
{
    for (int lane = 0; lane < LANES / 2; lane++) {
        __m256i data = load_wide(stripe + 32 * lane);
        __m256i keyed = _mm256_xor_si256(data, load_wide(key + 32 * lane));
        __m256i product = _mm256_mul_epu32(keyed, _mm256_srli_epi64(keyed, 32));
        __m256i made = _mm256_add_epi64(product, _mm256_shuffle_epi32(data, _MM_SHUFFLE(1, 0, 3, 2)));
        sums[lane] = _mm256_add_epi64(sums[lane], made);
    }
}

WIDE static inline void scramble_wide(__m256i sums[LANES / 2])
{
    const __m256i prime = _mm256_set1_epi64x((int64_t)PRIME32_1);
    for (int lane = 0; lane < LANES / 2; lane++) {
        __m256i mixed = _mm256_xor_si256(sums[lane], _mm256_srli_epi64(sums[lane], 47));
        mixed = _mm256_xor_si256(mixed, load_wide(secret + SECRET - STRIPE + 32 * lane));
        __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(mixed, 32), prime);
        sums[lane] = _mm256_add_epi64(_mm256_mul_epu32(mixed, prime), _mm256_slli_epi64(high, 32));
    }
}

WIDE static void sum_up_wide(const uint8_t *bytes, size_t length, uint64_t result[2 * LANES])
{
    __m256i sums[LANES / 2];
    memcpy(sums, first_sums, sizeof sums);
    SUM_UP(sums, bytes, length, accumulate_wide, scramble_wide);
    memcpy(result, sums, sizeof sums);
}

#endif

static int only_pairs;

void sn_decode_only_pairs(int on)
{
    only_pairs = on;
}

static void sum_up(const uint8_t *bytes, size_t length, uint64_t result[2 * LANES])
{
#if defined(__x86_64__)
    if (!only_pairs && __builtin_cpu_supports("avx2")) {
        sum_up_wide(bytes, length, result);
        return;
    }
#endif
    sum_up_by_pairs(bytes, length, result);
}

static uint64_t merge(const uint64_t sums[2 * LANES], const uint8_t *key, uint64_t start)
{
    uint64_t result = start;
    for (int lane = 0; lane < LANES; lane++) {
        unsigned __int128 product = (unsigned __int128)(sums[2 * lane] ^ read64(key + 16 * lane)) *
                                    (sums[2 * lane + 1] ^ read64(key + 16 * lane + 8));
        result += (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    result = (result ^ (result >> 37)) * AVALANCHE;
    return result ^ (result >> 32);
}

uint64_t sn_checksum(const void *bytes, size_t length)
{
    uint64_t sums[2 * LANES];
    sum_up(bytes, length, sums);
    return merge(sums, secret + 11, (uint64_t)length * PRIME64_1);
}

void sn_page_hash(const void *page, uint64_t hash[2])
{
    uint64_t sums[2 * LANES];
    sum_up(page, SN_PAGE_BYTES, sums);
    hash[0] = merge(sums, secret + 11, SN_PAGE_BYTES * PRIME64_1);
    hash[1] = merge(sums, secret + SECRET - STRIPE - 11, ~(SN_PAGE_BYTES * PRIME64_2));
    if (hash[0] == 0 && hash[1] == 0)
        hash[0] = 1;
}

uint64_t sn_pages_checksum(const uint8_t *pages, uint32_t count, uint64_t hashes[2 * IMAGE_BLOCK_PAGES])
{
    memset(hashes, 0, 16 * IMAGE_BLOCK_PAGES);
    for (uint32_t page = 0; page < count && page < IMAGE_BLOCK_PAGES; page++)
        sn_page_hash(pages + page * SN_PAGE_BYTES, hashes + 2 * page);
    return sn_checksum(hashes, 16 * IMAGE_BLOCK_PAGES);
}

/* ---- LZ4 ----------------------------------------------------------------------------------------------- */

#define LZ4_LEAST_MATCH 4u

/* A length of 15 in the token goes on in bytes until one is not 255. False: the input ends before. */
static int read_length(const uint8_t **at, const uint8_t *end, size_t *length)
{
    if (*length != 15)
        return 1;
    for (;;) {
        if (*at == end)
            return 0;
        uint8_t more = *(*at)++;
        *length += more;
        if (more != 255)
            return 1;
    }
}

/* Copies a match, which may overlap what it produces. `room` is how many bytes may be written beyond it. */
static void copy_match(uint8_t *target, size_t offset, size_t length, size_t room)
{
    const uint8_t *from = target - offset;
    if (offset >= 16 && room >= 15) {
        for (size_t i = 0; i < length; i += 16)
            sn_store_bytes(target + i, sn_load_bytes(from + i));
    } else if (offset >= length) {
        memcpy(target, from, length);
    } else {
        for (size_t i = 0; i < length; i++)
            target[i] = from[i];
    }
}

int64_t sn_lz4_decode(const uint8_t *source, size_t length, uint8_t *target, size_t capacity)
{
    const uint8_t *at = source, *end = source + length;
    size_t done = 0;
    while (at < end) {
        uint8_t token = *at++;
        size_t literals = token >> 4;
        if (!read_length(&at, end, &literals))
            return -1;
        if (literals > (size_t)(end - at) || literals > capacity - done)
            return -1;
        memcpy(target + done, at, literals);
        at += literals;
        done += literals;
        if (at == end)
            return (int64_t)done; /* the last sequence has no match */

        if (end - at < 2)
            return -1;
        size_t offset = (size_t)(at[0] | at[1] << 8);
        at += 2;
        size_t match = token & 15;
        if (!read_length(&at, end, &match))
            return -1;
        match += LZ4_LEAST_MATCH;
        if (offset == 0 || offset > done || match > capacity - done)
            return -1;
        copy_match(target + done, offset, match, capacity - done - match);
        done += match;
    }
    return -1;
}

/* ---- byte shuffle -------------------------------------------------------------------------------------- */

/*
 * Sixteen elements at a time: of each of the `element` planes 16 bytes, interleaved in log2(element) rounds.
 * A round pairs each register with the one half the planes further on.
 */
#define UNSHUFFLE(element, rounds) \
    static void unshuffle##element(const uint8_t *source, uint8_t *target, size_t count) \
    { \
        for (size_t i = 0; i < count; i += 16) { \
            sn_bytes even[element], odd[element]; \
            for (size_t plane = 0; plane < element; plane++) \
                even[plane] = sn_load_bytes(source + plane * count + i); \
            for (int round = 0; round < rounds; round++) { \
                for (size_t pair = 0; pair < element / 2; pair++) { \
                    odd[2 * pair] = sn_interleave_low(even[pair], even[pair + element / 2]); \
                    odd[2 * pair + 1] = sn_interleave_high(even[pair], even[pair + element / 2]); \
                } \
                memcpy(even, odd, sizeof even); \
            } \
            memcpy(target + i * element, even, sizeof even); \
        } \
    }

UNSHUFFLE(2, 1)
UNSHUFFLE(4, 2)
UNSHUFFLE(8, 3)
UNSHUFFLE(16, 4)

void sn_unshuffle(const uint8_t *source, uint8_t *target, size_t length, size_t element)
{
    switch (element) {
    case 2:
        unshuffle2(source, target, length / 2);
        break;
    case 4:
        unshuffle4(source, target, length / 4);
        break;
    case 8:
        unshuffle8(source, target, length / 8);
        break;
    default:
        unshuffle16(source, target, length / 16);
        break;
    }
}

void sn_undo_difference(uint8_t *bytes, size_t length, size_t element)
{
    if (element == 8) {
        uint64_t value = 0, difference;
        for (size_t i = 0; i < length; i += sizeof value) {
            memcpy(&difference, bytes + i, sizeof difference);
            value += difference;
            memcpy(bytes + i, &value, sizeof value);
        }
    } else {
        uint32_t value = 0, difference;
        for (size_t i = 0; i < length; i += sizeof value) {
            memcpy(&difference, bytes + i, sizeof difference);
            value += difference;
            memcpy(bytes + i, &value, sizeof value);
        }
    }
}
