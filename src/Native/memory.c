/* memory.c: address space. Reserving, committing, dropping and naming memory; a system call each, or two. */
#include "snapshot_native.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* Constants that older distribution headers lack; values from the kernel's include/uapi. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* asm-generic/mman-common.h, Linux 4.17 */
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* asm-generic/mman-common.h, Linux 5.14 */
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* asm-generic/mman-common.h, Linux 6.1 */
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* linux/prctl.h, Linux 5.17 */
#define PR_SET_VMA_ANON_NAME 0
#endif

#define HUGE_BYTES (UINT64_C(2) << 20)

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static int32_t result(int failed)
{
    return failed ? errno : 0;
}

int32_t sn_memory_reserve(uint64_t base, uint64_t bytes)
{
    /*
     * MAP_NORESERVE: the reservation, and what is committed of it later, is not charged until it is written.
     */
    void *got = mmap(at(base), bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED)
        return errno;
    if (got == at(base))
        return 0;

    /* A kernel before 4.17 takes the address for a hint: it mapped elsewhere because something is there. */
    munmap(got, bytes);
    return EEXIST;
}

int32_t sn_memory_commit(uint64_t base, uint64_t bytes)
{
    return result(mprotect(at(base), bytes, PROT_READ | PROT_WRITE) != 0);
}

int32_t sn_memory_commit_spare(uint64_t base, uint64_t bytes)
{
    size_t wanted = bytes + SN_SPARE_BYTES;
    void *probe = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return errno;
    munmap(probe, wanted);
    return sn_memory_commit(base, bytes);
}

int32_t sn_memory_discard(uint64_t base, uint64_t bytes)
{
    return result(madvise(at(base), bytes, MADV_DONTNEED) != 0);
}

int32_t sn_memory_read(uint64_t address, uint64_t bytes, void *target)
{
    for (uint64_t done = 0; done < bytes;) {
        struct iovec to = {(unsigned char *)target + done, bytes - done};
        struct iovec from = {at(address + done), bytes - done};
        ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
        if (got <= 0)
            return got < 0 ? errno : EFAULT;
        done += (uint64_t)got;
    }
    return 0;
}

int32_t sn_memory_seal(uint64_t base, uint64_t bytes)
{
    return result(mprotect(at(base), bytes, PROT_NONE) != 0);
}

int32_t sn_memory_release(uint64_t base, uint64_t bytes)
{
    return result(munmap(at(base), bytes) != 0);
}

int32_t sn_memory_advise_huge(uint64_t base, uint64_t bytes, int32_t enable)
{
    return result(madvise(at(base), bytes, enable ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0);
}

int32_t sn_memory_collapse(uint64_t base, uint64_t bytes)
{
    return result(madvise(at(base), bytes, MADV_COLLAPSE) != 0);
}

int32_t sn_memory_populate(uint64_t base, uint64_t bytes)
{
    return result(madvise(at(base), bytes, MADV_POPULATE_WRITE) != 0);
}

int32_t sn_memory_name(uint64_t base, uint64_t bytes, const char *name)
{
    return result(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)base, (unsigned long)bytes,
                        (unsigned long)(uintptr_t)name) != 0);
}

int32_t sn_memory_reserve_anywhere(uint64_t bytes, uint64_t *base)
{
    /*
     * Huge pages need an aligned start: map one huge page more and give back what sticks out on both sides.
     */
    if (bytes > UINT64_MAX - HUGE_BYTES)
        return ENOMEM;
    void *got = mmap(NULL, bytes + HUGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
        return errno;

    uint64_t start = (uint64_t)(uintptr_t)got;
    uint64_t aligned = (start + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
    if (aligned > start)
        munmap(at(start), aligned - start);
    munmap(at(aligned + bytes), start + HUGE_BYTES - aligned);
    /* EINVAL: a kernel without huge pages; the memory serves all the same. */
    madvise(at(aligned), bytes, MADV_HUGEPAGE);
    *base = aligned;
    return 0;
}

int32_t sn_memory_map_sparse(uint64_t bytes, uint64_t *base)
{
    void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
        return errno;
    *base = (uint64_t)(uintptr_t)got;
    return 0;
}
