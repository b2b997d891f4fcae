/* chaos_registers.c: see the header. In assembler, so that nothing is where a compiler would put it. */
#include "chaos_registers.h"

#include <cpuid.h>
#include <string.h>

#define WORDS 64u
#define BYTES 4096u
#define LOOPS UINT64_C(2000)

/*
 * Adds one number to another, and 1; returns the last carry. It has words below its stack pointer, as leaf functions may;
 * `loop` counts without touching the flags.
 */
uint64_t chaos_add(uint64_t *left, const uint64_t *right, uint64_t count);
__asm__(".text\n\t"
        ".globl chaos_add\n\t"
        ".type chaos_add, @function\n"
        "chaos_add:\n\t"
        ".cfi_startproc\n\t"
        "movq %rdx, %rcx\n\t"
        "xorl %edx, %edx\n\t"
        "stc\n"
        "1:\n\t"
        "movq (%rdi,%rdx,8), %rax\n\t"
        "movq %rax, -24(%rsp)\n\t"
        "movq $-1, %rax\n\t"
        "movq -24(%rsp), %rax\n\t"
        "adcq (%rsi,%rdx,8), %rax\n\t"
        "movq %rax, -128(%rsp)\n\t"
        "movq $-1, %rax\n\t"
        "movq -128(%rsp), %rax\n\t"
        "movq %rax, (%rdi,%rdx,8)\n\t"
        "leaq 1(%rdx), %rdx\n\t"
        "loop 1b\n\t"
        "setc %al\n\t"
        "movzbl %al, %eax\n\t"
        "ret\n\t"
        ".cfi_endproc\n\t"
        ".size chaos_add, . - chaos_add");

uint64_t chaos_carry(uint64_t seed)
{
    uint64_t left[WORDS], right[WORDS], hash = seed;
    for (uint64_t i = 0; i < WORDS; i++) {
        left[i] = seed * (i + 1);
        right[i] = ~left[i] - (i % 7 == 0);
    }
    for (uint32_t round = 0; round < 4; round++) {
        hash = (hash ^ chaos_add(left, right, WORDS)) * 31;
        for (uint32_t i = 0; i < WORDS; i++)
            hash = hash * 33 + left[i];
    }
    return hash;
}

uint64_t chaos_backwards(uint64_t seed)
{
    unsigned char from[BYTES], to[BYTES];
    for (uint64_t i = 0; i < BYTES; i++)
        from[i] = (unsigned char)(seed >> i % 57);
    memset(to, 0, sizeof to);
    unsigned char *source = from + BYTES - 1, *target = to + BYTES - 1;
    uint64_t count = BYTES - 5;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+S"(source), "+D"(target), "+c"(count) : : "memory", "cc");
    uint64_t hash = (uint64_t)(source - from) * 8191 + (uint64_t)(target - to);

    to[seed % 1000] ^= 1;
    source = from + BYTES - 1;
    target = to + BYTES - 1;
    count = BYTES;
    __asm__ volatile("std\n\trepe cmpsb\n\tcld" : "+S"(source), "+D"(target), "+c"(count) : : "memory", "cc");
    hash = hash * 31 + count;
    for (uint32_t i = 0; i < BYTES; i++)
        hash = hash * 33 + to[i];
    return hash;
}

/*
 * Each lane of each register is squared and less 1.9, LOOPS times: it stays between -2 and 2 and settles nowhere, so that one that
 * was lost for a moment shows in the end.
 */
#define EACH8(op, a, b, c, d, e, f, g, h) op(a) op(b) op(c) op(d) op(e) op(f) op(g) op(h)
#define FIRST16(op) EACH8(op, 0, 1, 2, 3, 4, 5, 6, 7) EACH8(op, 8, 9, 10, 11, 12, 13, 14, 15)
#define ALL32(op) FIRST16(op) EACH8(op, 16, 17, 18, 19, 20, 21, 22, 23) EACH8(op, 24, 25, 26, 27, 28, 29, 30, 31)

#define LOAD512(n) "vmovupd " #n "*64(%[values]), %%zmm" #n "\n\t"
#define STEP512(n) "vfmadd213pd (%[step])%{1to8%}, %%zmm" #n ", %%zmm" #n "%{%%k1%}\n\t"
#define STORE512(n) "vmovupd %%zmm" #n ", " #n "*64(%[values])\n\t"
#define LOAD256(n) "vmovupd " #n "*64(%[values]), %%ymm" #n "\n\t"
#define STEP256(n) "vmulpd %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n\tvaddpd (%[step]), %%ymm" #n ", %%ymm" #n "\n\t"
#define STORE256(n) "vmovupd %%ymm" #n ", " #n "*64(%[values])\n\t"
#define LOAD128(n) "movupd " #n "*64(%[values]), %%xmm" #n "\n\t"
#define STEP128(n) "mulpd %%xmm" #n ", %%xmm" #n "\n\taddpd (%[step]), %%xmm" #n "\n\t"
#define STORE128(n) "movupd %%xmm" #n ", " #n "*64(%[values])\n\t"

#define XMM "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
            "xmm13", "xmm14", "xmm15"

__attribute__((target("avx512f,avx512bw"))) static void run512(double *values, const double *step)
{
    uint64_t count = LOOPS;
    __asm__ volatile("movl $0xb7, %%eax\n\tkmovw %%eax, %%k1\n\t"
                     "movl $4711, %%eax\n\tkmovq %%rax, %%k7\n\t"
                     ALL32(LOAD512) "1:\n\t" ALL32(STEP512)
                     "kmovq %%k7, %%rax\n\taddq $3, %%rax\n\tkmovq %%rax, %%k7\n\t"
                     "decq %[count]\n\tjnz 1b\n\t" ALL32(STORE512)
                     "vcvtsi2sdq %%rax, %%xmm0, %%xmm0\n\tvmovsd %%xmm0, (%[values])\n\tvzeroupper"
                     : [count] "+r"(count) : [values] "r"(values), [step] "r"(step)
                     : "memory", "cc", "rax", "k1", "k7", XMM, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21",
                       "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
}

__attribute__((target("avx"))) static void run256(double *values, const double *step)
{
    uint64_t count = LOOPS;
    __asm__ volatile(FIRST16(LOAD256) "1:\n\t" FIRST16(STEP256) "decq %[count]\n\tjnz 1b\n\t" FIRST16(STORE256)
                     "vzeroupper" : [count] "+r"(count) : [values] "r"(values), [step] "r"(step) : "memory", "cc", XMM);
}

static void run128(double *values, const double *step)
{
    uint64_t count = LOOPS;
    __asm__ volatile(FIRST16(LOAD128) "1:\n\t" FIRST16(STEP128) "decq %[count]\n\tjnz 1b\n\t" FIRST16(STORE128)
                     : [count] "+r"(count) : [values] "r"(values), [step] "r"(step) : "memory", "cc", XMM);
}

/* What the processor has and the kernel saves: 512, 256 or 128 bits. */
static uint32_t width(void)
{
    uint32_t eax, ebx, ecx, edx, low, high;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_OSXSAVE) == 0 || (ecx & bit_AVX) == 0)
        return 128;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 6) != 6)
        return 128;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ebx & bit_AVX512F) == 0 || (ebx & bit_AVX512BW) == 0)
        return 256;
    return (low & 0xe0) == 0xe0 ? 512 : 256;
}

double chaos_wide(uint64_t seed)
{
    double values[32 * 8];
    _Alignas(64) double step[8];
    for (uint64_t i = 0; i < 32 * 8; i++)
        values[i] = (double)((seed >> i % 50) % 1000) * 5e-4 + (double)i * 1e-3;
    for (uint64_t i = 0; i < 8; i++)
        step[i] = -1.9 + (double)i * 1e-3;
    uint32_t bits = width();
    if (bits == 512)
        run512(values, step);
    else if (bits == 256)
        run256(values, step);
    else
        run128(values, step);
    double sum = 0;
    for (uint32_t i = 0; i < 32 * 8; i++)
        sum += values[i] * (1 + (double)i * 1e-3);
    return sum;
}

double chaos_x87(uint64_t seed)
{
    long double values[8];
    for (uint64_t i = 0; i < 8; i++)
        values[i] = (long double)(seed >> i * 7 & 127) * 0.01L + 0.1L;
    uint64_t count = LOOPS * 4;
    uint16_t own, changed;
    float less = -1.9f;
    __asm__ volatile("fnstcw %0" : "=m"(own));
    changed = (uint16_t)(own | 0x0c00); /* towards zero */
    __asm__ volatile("fldcw %[changed]\n\t"
                     "fldt (%[v])\n\tfldt 16(%[v])\n\tfldt 32(%[v])\n\tfldt 48(%[v])\n\t"
                     "fldt 64(%[v])\n\tfldt 80(%[v])\n\tfldt 96(%[v])\n"
                     "1:\n\t"
                     "fmul %%st, %%st\n\tfadds %[less]\n\tfxch %%st(1)\n\tfxch %%st(2)\n\tfxch %%st(3)\n\t"
                     "fxch %%st(4)\n\tfxch %%st(5)\n\tfxch %%st(6)\n\t"
                     "decq %[count]\n\tjnz 1b\n\t"
                     "fstpt (%[v])\n\tfstpt 16(%[v])\n\tfstpt 32(%[v])\n\tfstpt 48(%[v])\n\t"
                     "fstpt 64(%[v])\n\tfstpt 80(%[v])\n\tfstpt 96(%[v])\n\tfldcw %[own]"
                     : [count] "+r"(count)
                     : [v] "r"(values), [changed] "m"(changed), [own] "m"(own), [less] "m"(less)
                     : "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    long double sum = 0;
    for (uint32_t i = 0; i < 8; i++)
        sum += values[i] * (long double)(i + 1);
    return (double)sum;
}
