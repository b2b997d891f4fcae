/*
 * signals.c: signals that ask for a checkpoint, and who has the runtime's own.
 */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* The runtime of .NET stops threads by the first real-time signal that glibc leaves to programs. */
#define RUNTIME_SIGNAL SIGRTMIN

static struct sigaction s_before[NSIG];
static char s_is_watched[NSIG];
static int s_last; /* of the watched; 0: none since it was taken */
static pthread_mutex_t s_changing = PTHREAD_MUTEX_INITIALIZER;

/* As after a fault: what the program had for it runs as if this were not there, but does not end it. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    int before = errno;
    __atomic_store_n(&s_last, number, __ATOMIC_SEQ_CST);
    const struct sigaction *own = &s_before[number];
    if ((own->sa_flags & SA_SIGINFO) != 0)
        own->sa_sigaction(number, info, context);
    else if (own->sa_handler != SIG_DFL && own->sa_handler != SIG_IGN)
        own->sa_handler(number);
    errno = before;
}

int32_t sn_signal_watch(int32_t number)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    int32_t error = 0;
    if (number <= 0 || number >= NSIG)
        return EINVAL;
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&s_changing);
    if (!s_is_watched[number]) {
        if (sigaction(number, NULL, &s_before[number]) != 0 || sigaction(number, &action, NULL) != 0)
            error = errno;
        else
            s_is_watched[number] = 1;
    }
    pthread_mutex_unlock(&s_changing);
    return error;
}

int32_t sn_signal_take(void)
{
    return __atomic_exchange_n(&s_last, 0, __ATOMIC_SEQ_CST);
}

int32_t sn_runtime_signal_taken(void **handler)
{
    static void (*s_of_runtime)(int, siginfo_t *, void *);
    struct sigaction now;
    if (sigaction(RUNTIME_SIGNAL, NULL, &now) != 0)
        return 0;
    pthread_mutex_lock(&s_changing);
    if (s_of_runtime == NULL)
        s_of_runtime = now.sa_sigaction;
    int is_ours = now.sa_sigaction == s_of_runtime;
    pthread_mutex_unlock(&s_changing);
    if (is_ours)
        return 0;
    *handler = (void *)(uintptr_t)now.sa_sigaction;
    return RUNTIME_SIGNAL;
}

void sn_describe_address(const void *address, char *text, int32_t bytes)
{
    Dl_info info;
    if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL)
        snprintf(text, (size_t)bytes, "%s", "unknown code");
    else if (info.dli_sname == NULL)
        snprintf(text, (size_t)bytes, "code of %s", info.dli_fname);
    else
        snprintf(text, (size_t)bytes, "%s of %s", info.dli_sname, info.dli_fname);
}
