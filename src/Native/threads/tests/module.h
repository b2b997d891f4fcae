/* module.h: what the test program and its native module share. */
#ifndef SNAPSHOT_MODULE_TEST_MODULE_H
#define SNAPSHOT_MODULE_TEST_MODULE_H

#include <stdint.h>

/* What a thread is to compute, and what it has; in the arena. */
enum {
    WORK_RECURSION, /* deep, with values kept in vector registers and pointers into callers' frames */
    WORK_MATH,      /* in libm most of the time */
    WORK_SORT,      /* libc calls back: its frames are in the middle of the stack */
    WORK_JUMP,      /* setjmp and longjmp */
    WORK_TEXT,      /* printf and strtod */
    WORK_VECTOR,    /* vector arithmetic, nothing else */
    WORK_COPY,      /* memset and memcpy */
    WORK_FLAGS,     /* string instructions backwards, carry chains */
    WORK_CLOCK,     /* in the vdso; computes nothing of it */
    WORK_KINDS,
    WORK_READ = 100, /* blocked in a system call: reads `rounds`, a descriptor */
};

struct job {
    uint64_t kind;
    uint64_t rounds;
    double sum;
    uint64_t hash;
};

#endif
