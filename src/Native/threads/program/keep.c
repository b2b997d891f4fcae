/*
 * keep.c: functions of libc that keep something between two calls, or give a pointer to what they keep. Here
 * it is in captured memory. Random numbers are those of glibc.
 */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALSO(name) __attribute__((visibility("hidden"), alias(#name)))
#define RANDOM_WORDS 31u
#define RANDOM_APART 3u
#define RANDOM_SKIPPED 310u

static uint32_t s_random[RANDOM_WORDS];
static uint32_t s_random_at; /* of the older of the two words that make the next */
static int32_t s_is_seeded;
static unsigned short s_random48[3];

HIDDEN long random(void)
{
    if (!s_is_seeded)
        srandom(1);
    uint32_t newer = (s_random_at + RANDOM_APART) % RANDOM_WORDS;
    s_random[newer] += s_random[s_random_at];
    s_random_at = (s_random_at + 1) % RANDOM_WORDS;
    return (long)(s_random[newer] >> 1);
}

HIDDEN void srandom(unsigned seed)
{
    int64_t word = (int32_t)(seed == 0 ? 1 : seed);
    s_is_seeded = 1;
    s_random_at = 0;
    for (uint32_t i = 0; i < RANDOM_WORDS; i++) {
        s_random[i] = (uint32_t)word;
        word = 16807 * word % INT32_MAX;
        if (word < 0)
            word += INT32_MAX;
    }
    for (uint32_t i = 0; i < RANDOM_SKIPPED; i++)
        random();
}

HIDDEN int rand(void)
{
    return (int)random();
}

ALSO(srandom) void srand(unsigned seed);

HIDDEN void srand48(long seed)
{
    s_random48[0] = 0x330e;
    s_random48[1] = (unsigned short)seed;
    s_random48[2] = (unsigned short)(seed >> 16);
}

HIDDEN double drand48(void)
{
    return erand48(s_random48);
}

HIDDEN long lrand48(void)
{
    return nrand48(s_random48);
}

HIDDEN long mrand48(void)
{
    return jrand48(s_random48);
}

HIDDEN char *strtok(char *restrict text, const char *restrict ends)
{
    static char *s_rest;
    return strtok_r(text, ends, &s_rest);
}

/* ---- time ---------------------------------------------------------------------------------------------- */

static struct tm s_time;

HIDDEN struct tm *localtime(const time_t *when)
{
    return localtime_r(when, &s_time);
}

HIDDEN struct tm *gmtime(const time_t *when)
{
    return gmtime_r(when, &s_time);
}

HIDDEN char *asctime(const struct tm *time)
{
    static char s_text[64];
    return strftime(s_text, sizeof s_text, "%a %b %e %H:%M:%S %Y\n", time) == 0 ? NULL : s_text;
}

HIDDEN char *ctime(const time_t *when)
{
    const struct tm *time = localtime(when);
    return time == NULL ? NULL : asctime(time);
}

HIDDEN int nanosleep(const struct timespec *asked, struct timespec *left)
{
    if (left != NULL)
        *left = (struct timespec){0, 0};
    snt_program_sleep((uint64_t)asked->tv_sec * 1000000000u + (uint64_t)asked->tv_nsec);
    return 0;
}

HIDDEN unsigned sleep(unsigned seconds)
{
    snt_program_sleep(seconds * UINT64_C(1000000000));
    return 0;
}

HIDDEN int usleep(useconds_t microseconds)
{
    snt_program_sleep(microseconds * UINT64_C(1000));
    return 0;
}
