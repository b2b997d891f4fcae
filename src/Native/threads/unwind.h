/*
 * unwind.h: one step up a stack, by the tables that compilers leave in .eh_frame (System V ABI for x86-64,
 * DWARF 5 section 6.4). For signal handlers: it allocates nothing, takes no lock, and reads of the stack only
 * what it was given.
 */
#ifndef SNAPSHOT_MODULE_UNWIND_H
#define SNAPSHOT_MODULE_UNWIND_H

#include <stdint.h>

/* DWARF numbers: 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8-15, 16 = rip */
#define SN_REGISTERS 17u
#define SN_REGISTER_RSP 7u
#define SN_REGISTER_RIP 16u

struct sn_frame {
    uint64_t registers[SN_REGISTERS];
    uint32_t known;     /* bit n: registers[n] is the frame's */
    uint64_t return_at; /* after a step: where the return address was read from, in the frame that was left */
};

/*
 * Goes from a frame to its caller's. `is_call`: the frame's rip is a return address, so the instruction
 * looked up is the one before it. 0, ENOENT (no table says anything of that code), EFAULT (the stack is not
 * as the table says, or not within [low, high)), ENOTSUP (a table this does not understand), EDOM (the
 * outermost frame: there is no caller).
 */
int32_t sn_unwind_step(struct sn_frame *frame, int32_t is_call, uint64_t low, uint64_t high);

#endif
