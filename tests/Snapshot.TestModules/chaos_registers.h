/* chaos_registers.h: loops whose state is in flags and registers that functions do not save for others. */
#ifndef CHAOS_REGISTERS_H
#define CHAOS_REGISTERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Adds long numbers, the carry going through the flags from word to word. */
uint64_t chaos_carry(uint64_t seed);

/* Copies and compares downwards: `rep movsb`, `repe cmpsb` with the direction flag set. */
uint64_t chaos_backwards(uint64_t seed);

/* All vector registers that there are, and masks, with other values each, over a long loop. */
double chaos_wide(uint64_t seed);

/* The stack of the x87, full over a long loop, and its control word. */
double chaos_x87(uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
