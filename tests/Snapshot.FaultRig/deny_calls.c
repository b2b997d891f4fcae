/*
 * deny_calls.c: runs a program under a seccomp filter that answers some system calls with an errno, as the profiles of
 * containers do. From its first instruction on: the runtime below the library lives with it, too.
 *
 *   deny_calls ERRNO CALL[:ADVICE]... -- PROGRAM ARGUMENT...
 *
 * CALL is the number of a system call. With ADVICE only calls whose third argument is that are denied (madvise).
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
    unsigned int number = (unsigned int)strtoul(call, &rest, 10);
    load(offsetof(struct seccomp_data, nr));
    if (*rest == ':') {
        add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3);
        load(offsetof(struct seccomp_data, args[2]));
        number = (unsigned int)strtoul(rest + 1, NULL, 10);
    }
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
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
