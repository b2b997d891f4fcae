/* spin.c: a native thread that computes for ever and counts how far it is. */
#include <stdint.h>

/* In an arena; a cache line of its own. */
struct spinner {
    _Alignas(64) volatile uint64_t turns;
};

__attribute__((visibility("default"))) uint64_t spin(struct spinner *spinner)
{
    for (;;)
        spinner->turns = spinner->turns + 1;
}
