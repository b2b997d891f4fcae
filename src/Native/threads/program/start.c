/*
 * start.c: where a program begins and ends: main, exit, the environment.
 */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ending {
    void (*function)(void);
    struct ending *before;
};

HIDDEN char **environ;
extern HIDDEN char **__environ __attribute__((alias("environ")));

static void *s_way_out[5];
static int32_t s_exit_code;
static struct ending *s_endings;

/* Whatever type the program gives it: these are passed, and what it does not take is not looked at. */
int main(int argument_count, char **arguments, char **environment);

HIDDEN uint64_t snt_program_main(void *argument);

/* Back to where main was called, and out of it: the result is the program's exit code. */
static _Noreturn void leave(int32_t code)
{
    s_exit_code = code;
    sn_critical_enter();
    snt_files_settle();
    sn_critical_exit();
    __builtin_longjmp(s_way_out, 1);
}

HIDDEN _Noreturn void _exit(int code)
{
    leave(code);
}

__attribute__((visibility("hidden"), alias("_exit"))) _Noreturn void _Exit(int code);

HIDDEN _Noreturn void exit(int code)
{
    while (s_endings != NULL) {
        struct ending *last = s_endings;
        s_endings = last->before;
        last->function();
    }
    snt_stream_flush_all();
    leave(code);
}

HIDDEN int atexit(void (*function)(void))
{
    struct ending *ending = sn_malloc(sizeof *ending);
    if (ending == NULL)
        return -1;
    *ending = (struct ending){function, s_endings};
    s_endings = ending;
    return 0;
}

HIDDEN char *getenv(const char *name)
{
    size_t bytes = strlen(name);
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, bytes) == 0 && (*at)[bytes] == '=')
            return *at + bytes + 1;
    }
    return NULL;
}

__attribute__((visibility("hidden"), alias("getenv"))) char *secure_getenv(const char *name);

static __attribute__((noinline)) void run(const struct snt_program_start *start)
{
    exit(main((int)start->argument_count, start->arguments, start->environment));
}

/* What snapshot_main is (snapshot_program.s). */
uint64_t snt_program_main(void *argument)
{
    struct snt_program_start *start = argument;
    snt_start = start;
    environ = start->environment;
    errno = 0;
    for (int32_t number = 0; number < 3; number++)
        snt_file_standard(&snt_standard[number], number);
    snt_standard[2].buffering = _IONBF;
    sn_on_checkpoint(snt_files_at_checkpoint, NULL);
    if (__builtin_setjmp(s_way_out) == 0)
        run(start);
    return (uint64_t)(s_exit_code & 0xff);
}
