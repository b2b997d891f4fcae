/* protect.c: write protection of pages, by userfaultfd or by mprotect. */
#include "protect.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t sn_signal_protect(uint64_t address, uint64_t bytes, int32_t on)
{
    int access = on ? PROT_READ : PROT_READ | PROT_WRITE;
    return mprotect((void *)(uintptr_t)address, bytes, access) == 0 ? 0 : errno;
}

int32_t sn_protect(const struct sn_freezer *freezer, uint64_t address, uint64_t bytes, int32_t on)
{
    return sn_is_by_signals(freezer) ? sn_signal_protect(address, bytes, on)
                                     : sn_uffd_protect(freezer->uffd, address, bytes, on);
}

void sn_unprotect(const struct sn_freezer *freezer, uint64_t address, uint64_t bytes)
{
    if (sn_uffd_protect(freezer->uffd, address, bytes, 0) != 0)
        sn_uffd_wake(freezer->uffd, address, bytes);
}

/* FUTEX_WAKE_OP adds 0 to a word and needs write access for it; nobody waits at the other one. */
int sn_is_writable(uint64_t address)
{
    uint32_t nobody = 0;
    uint32_t add_nothing = (uint32_t)FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);
    uint32_t *word = (uint32_t *)(uintptr_t)address;
    return syscall(SYS_futex, &nobody, FUTEX_WAKE_OP_PRIVATE, 0, NULL, word, add_nothing) >= 0;
}
