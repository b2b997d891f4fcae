/*
 * deny_calls.c: runs a program under a seccomp filter that answers some system calls with an errno, as the profiles of
 * containers do. From its first instruction on: the runtime below the library lives with it, too.
 *
 *   deny_calls ERRNO CALL[:VALUE[@INDEX]][=ERRNO]... -- PROGRAM ARGUMENT...
 *
 * CALL is the number of a system call. With VALUE only calls whose argument of that index (from 0; 2 if it is left out:
 * the advice of madvise) has that value, in its lower 32 bits, are denied. An ERRNO of its own comes before the first.
 */
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CALLS_MAX 32

static struct sock_filter s_program[8 + 8 * CALLS_MAX];
static unsigned short s_length;

static void add(unsigned short code, unsigned int k, unsigned char yes, unsigned char no)
{
    s_program[s_length++] = (struct sock_filter){code, yes, no, k};
}

static void load(size_t offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

static void deny(const char *call, unsigned int error)
{
    char *rest = NULL;
    unsigned int number = (unsigned int)strtoul(call, &rest, 10), value = 0, index = 2;
    int has_value = *rest == ':';
    if (has_value)
        value = (unsigned int)strtoul(rest + 1, &rest, 0);
    if (*rest == '@')
        index = (unsigned int)strtoul(rest + 1, &rest, 10);
    if (*rest == '=')
        error = (unsigned int)strtoul(rest + 1, &rest, 10);
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, has_value ? 3 : 1);
    if (has_value) {
        load(offsetof(struct seccomp_data, args) + index * sizeof(__u64));
        add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    }
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0);
}

int main(int count, char **arguments)
{
    load(offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    int at = 2;
    for (; at < count && at < 2 + CALLS_MAX && strcmp(arguments[at], "--") != 0; at++)
        deny(arguments[at], (unsigned int)atoi(arguments[1]));
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    struct sock_fprog program = {s_length, s_program};
    if (at + 1 >= count || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        perror("deny_calls");
        return 125;
    }
    execvp(arguments[at + 1], arguments + at + 1);
    perror(arguments[at + 1]);
    return 126;
}
