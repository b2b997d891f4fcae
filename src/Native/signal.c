/*
 * signal.c: write protection that needs no permission. Memory is protected by mprotect, and a write to it is
 * a SIGSEGV, which its handler serves on the writing thread as a server does for a userfaultfd (open.c).
 *
 * Invariant: a page has no write access only if it is armed, or written: a collect may protect a page that
 * was opened just before. So a fault at a page that is neither is somebody else's, unless another thread has
 * opened the page meanwhile: then it can be written, which the kernel is asked (sn_is_writable). Memory
 * without any access that was never used is neither, too, and is never made writable here: only pages that
 * were armed are. Guards below stacks may have been used as part of a huge page, so native threads and this
 * are not for one session.
 *
 * The handler
 *   runs on the thread's alternate stack, where there is one: the runtime's own handler comes behind, and
 *     needs that;
 *   blocks all signals: nothing runs in the middle of it; the handler that comes behind gets the mask that
 *     it would have had;
 *   keeps errno, and touches nothing but its tables and the memory of the page;
 *   waits for locks of spans, which native code alone holds, and for a slot. The drain returns slots, and a
 *     garbage collection may have stopped the drain and wait for this very thread. So that wait has an end:
 *     then the write goes on without a copy, and the capture is spoiled (secure).
 *
 * A mapping is split wherever the protection changes; there are vm.max_map_count of them. Where Linux gives
 * no more all memory of the region is opened by one call, which joins them: the capture is spoiled, and the
 * next collect finds all memory changed (`lost`).
 */
#include "regions.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define FREEZERS_MAX 64u

static struct sn_freezer *s_freezers[FREEZERS_MAX];
static uint32_t s_inside; /* handlers that look at the table */
static pthread_mutex_t s_changing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction s_before;
static int s_is_installed;

static int serve_fault(uint64_t address)
{
    int served = 0;
    __atomic_add_fetch(&s_inside, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < FREEZERS_MAX && !served; i++) {
        struct sn_freezer *freezer = __atomic_load_n(&s_freezers[i], __ATOMIC_SEQ_CST);
        if (freezer != NULL)
            served = sn_freezer_serve_at(freezer, address);
    }
    __atomic_sub_fetch(&s_inside, 1, __ATOMIC_SEQ_CST);
    return served;
}

/* As if this handler were not there. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    if (s_before.sa_handler == SIG_DFL || s_before.sa_handler == SIG_IGN) {
        /* The fault comes again, and ends the process as it would have. */
        sigaction(number, &s_before, NULL);
        return;
    }
    sigset_t mask = ((const ucontext_t *)context)->uc_sigmask;
    for (int other = 1; other < NSIG; other++) {
        if (sigismember(&s_before.sa_mask, other) == 1)
            sigaddset(&mask, other);
    }
    if ((s_before.sa_flags & SA_NODEFER) == 0)
        sigaddset(&mask, number);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if ((s_before.sa_flags & SA_SIGINFO) != 0)
        s_before.sa_sigaction(number, info, context);
    else
        s_before.sa_handler(number);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    int before = errno;
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr & ~(SN_PAGE_BYTES - 1);
    if (info->si_code != SEGV_ACCERR || !serve_fault(address))
        pass_on(number, info, context);
    errno = before;
}

static int32_t install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    if (s_is_installed)
        return 0;
    sigfillset(&action.sa_mask);
    if (sigaction(SIGSEGV, NULL, &s_before) != 0 || sigaction(SIGSEGV, &action, NULL) != 0)
        return errno;
    s_is_installed = 1;
    return 0;
}

int32_t sn_freezer_take_signals(struct sn_freezer *freezer)
{
    pthread_mutex_lock(&s_changing);
    int32_t error = install();
    uint32_t at = 0;
    while (error == 0 && s_freezers[at] != NULL) {
        if (++at == FREEZERS_MAX)
            error = ENOSPC;
    }
    if (error == 0)
        __atomic_store_n(&s_freezers[at], freezer, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&s_changing);
    return error;
}

int32_t sn_freezer_leave_signals(struct sn_freezer *freezer)
{
    pthread_mutex_lock(&s_changing);
    for (uint32_t i = 0; i < FREEZERS_MAX; i++) {
        if (s_freezers[i] == freezer)
            __atomic_store_n(&s_freezers[i], NULL, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&s_changing);
    sn_wait_until_zero(&s_inside);
    return 0;
}
