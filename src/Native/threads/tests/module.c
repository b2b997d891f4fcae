/*
 * module.c: a native module for the tests. Every kind of work ends in the same bits, however often it is
 * captured.
 */
#include "module.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static __thread uint64_t t_calls;
static __thread double t_drift = 1.5;
static uint64_t s_ended; /* writable data of the module */

static double recurse(uint32_t depth, double *parent, uint64_t *hash)
{
    double values[8];
    for (uint32_t i = 0; i < 8; i++)
        values[i] = parent != NULL ? parent[i] * 1.0000001 + depth : i + depth;
    *hash = *hash * UINT64_C(6364136223846793005) + depth;
    t_calls++;
    double sum = 0;
    if (depth == 0) {
        for (uint32_t i = 0; i < 8; i++)
            sum += values[i];
        return sum;
    }
    sum = recurse(depth - 1, values, hash);
    for (uint32_t i = 0; i < 8; i++) {
        sum += values[i] * 1e-3;
        if (parent != NULL)
            parent[i] += sum * 1e-9;
    }
    return sum;
}

static double compute_math(uint64_t round)
{
    double sum = 0;
    for (uint32_t i = 1; i < 3000; i++)
        sum += sin(i * 0.01 + (double)round) * sqrt(i);
    return sum;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    t_calls += 3;
    return a < b ? -1 : a > b;
}

static uint64_t sort(uint64_t round, uint64_t hash)
{
    double values[500];
    for (uint32_t i = 0; i < 500; i++)
        values[i] = fmod(i * 7919.0 * (double)(round + 1), 1009.0);
    qsort(values, 500, sizeof values[0], compare);
    for (uint32_t i = 0; i < 500; i++)
        hash = hash * 31 + (uint64_t)values[i];
    return hash;
}

static double jump(uint64_t *hash)
{
    jmp_buf back;
    volatile int times = 0;
    if (setjmp(back) < 50) {
        times++;
        recurse(20, NULL, hash);
        if (times < 50)
            longjmp(back, times);
    }
    return times;
}

static void print(struct job *job)
{
    char text[256];
    for (int i = 0; i < 200; i++) {
        int length = snprintf(text, sizeof text, "%d %.17g %s", i, job->sum + i, "text");
        job->hash = job->hash * 131 + (uint64_t)length;
        job->sum = strtod(strchr(text, ' '), NULL) * 0.999;
    }
}

static double multiply(void)
{
    float sums[64] = {0}, sum = 0;
    for (uint32_t k = 0; k < 2000; k++) {
        for (uint32_t i = 0; i < 64; i++)
            sums[i] = sums[i] * 0.999f + (float)(i * k % 17);
    }
    for (uint32_t i = 0; i < 64; i++)
        sum += sums[i];
    return (double)sum;
}

static uint64_t copy(uint64_t hash)
{
    char one[4096], two[4096];
    for (uint32_t k = 0; k < 300; k++) {
        memset(one, (int)k, sizeof one);
        memcpy(two, one, sizeof two);
        hash = hash * 33 + (unsigned char)two[k];
    }
    return hash;
}

static uint64_t use_flags(uint64_t hash)
{
    unsigned char bytes[512];
    for (uint32_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(hash >> i % 57);
    unsigned char *from = bytes + 255, *to = bytes + 511;
    uint64_t count = 256, low = hash, high = hash * 3;
    __asm__ volatile("std; rep movsb; cld" : "+S"(from), "+D"(to), "+c"(count) : : "memory", "cc");
    for (uint32_t i = 0; i < 500; i++)
        __asm__ volatile("addq %2, %0; adcq %3, %1"
                         : "+r"(low), "+r"(high)
                         : "r"(hash + i), "r"(hash)
                         : "cc");
    return low ^ high ^ bytes[300];
}

static void ask_clock(void)
{
    struct timespec now;
    for (uint32_t i = 0; i < 2000; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
}

static void work(struct job *job, uint64_t round)
{
    switch (job->kind) {
    case WORK_RECURSION:
        job->sum += recurse(200 + (uint32_t)(round % 100), NULL, &job->hash);
        break;
    case WORK_MATH:
        job->sum += compute_math(round);
        break;
    case WORK_SORT:
        job->hash = sort(round, job->hash);
        break;
    case WORK_JUMP:
        job->sum += jump(&job->hash);
        break;
    case WORK_TEXT:
        print(job);
        break;
    case WORK_VECTOR:
        job->sum += multiply();
        break;
    case WORK_COPY:
        job->hash = copy(job->hash);
        break;
    case WORK_FLAGS:
        job->hash = use_flags(job->hash);
        break;
    default:
        ask_clock();
        break;
    }
}

__attribute__((visibility("default"))) uint64_t test_work(struct job *job)
{
    if (job->kind == WORK_READ) {
        char byte;
        return (uint64_t)read((int)job->rounds, &byte, 1);
    }
    for (uint64_t round = 0; round < job->rounds; round++) {
        work(job, round);
        t_drift = t_drift * 1.0000003 + (double)t_calls * 1e-9;
    }
    job->sum += t_drift;
    job->hash ^= t_calls;
    return __atomic_add_fetch(&s_ended, 1, __ATOMIC_RELAXED);
}
