/*
 * modules.c: the code that parked threads may stand in, and the code that they must not be disturbed in.
 */
#include "native_thread.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

/* Functions of libc that keep their return address, or look at those of others. */
static const char *const s_unsafe[] = {
    "_setjmp", "setjmp",    "__sigsetjmp", "longjmp",     "_longjmp",    "siglongjmp", "__longjmp_chk",
    "vfork",   "backtrace", "getcontext",  "makecontext", "swapcontext", "setcontext",
};

/* Libraries that unwind: their whole code. */
static const char *const s_unwinders[] = {"libgcc_s.so", "libstdc++.so"};

static int32_t add_unsafe(uint64_t first, uint64_t end)
{
    uint32_t at = snt_process.unsafe_count;
    if (at == sizeof snt_process.unsafe / sizeof snt_process.unsafe[0])
        return ENOSPC;
    snt_process.unsafe[at] = (struct snt_range){first, end};
    __atomic_store_n(&snt_process.unsafe_count, at + 1, __ATOMIC_RELEASE);
    return 0;
}

enum snt_place snt_place_of(uint64_t pc)
{
    if (pc - snt_process.own_first < snt_process.own_end - snt_process.own_first)
        return SNT_FIXED;
    uint32_t count = __atomic_load_n(&snt_process.module_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        const struct snt_module *module = &snt_process.modules[i];
        if (pc - module->first < module->end - module->first)
            return snt_process.throws[i] ? SNT_THROWS : SNT_FIXED;
    }
    return SNT_FOREIGN;
}

int32_t snt_is_unsafe(uint64_t pc)
{
    uint32_t count = __atomic_load_n(&snt_process.unsafe_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        if (pc - snt_process.unsafe[i].first < snt_process.unsafe[i].end - snt_process.unsafe[i].first)
            return 1;
    }
    return 0;
}

static int add_unwinder(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    int32_t *error = argument;
    for (size_t i = 0; i < sizeof s_unwinders / sizeof s_unwinders[0]; i++) {
        if (strstr(info->dlpi_name, s_unwinders[i]) == NULL)
            continue;
        for (uint16_t n = 0; n < info->dlpi_phnum; n++) {
            const ElfW(Phdr) *segment = &info->dlpi_phdr[n];
            uint64_t first = info->dlpi_addr + segment->p_vaddr;
            if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0 && *error == 0)
                *error = add_unsafe(first, first + segment->p_memsz);
        }
    }
    return *error;
}

/* The program, which comes first, if its code is below where the kernel maps libraries. */
static int find_program(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct snt_range *program = argument;
    for (uint16_t n = 0; n < info->dlpi_phnum; n++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[n];
        uint64_t first = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0 && first < SNT_LIBRARIES)
            *program = (struct snt_range){first, first + segment->p_memsz};
    }
    return 1;
}

/* This library's own mapping, and what of others is not to be disturbed. */
int32_t snt_find_own(void)
{
    struct dl_find_object own;
    if (_dl_find_object((void *)(uintptr_t)snt_find_own, &own) != 0)
        return ENOENT;
    snt_process.own_first = (uint64_t)(uintptr_t)own.dlfo_map_start;
    snt_process.own_end = (uint64_t)(uintptr_t)own.dlfo_map_end;
    int32_t error = 0;
    for (size_t i = 0; error == 0 && i < sizeof s_unsafe / sizeof s_unsafe[0]; i++) {
        Dl_info info;
        ElfW(Sym) *symbol = NULL;
        void *address = dlsym(RTLD_DEFAULT, s_unsafe[i]);
        if (address != NULL && dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 &&
            symbol != NULL)
            error = add_unsafe((uint64_t)(uintptr_t)info.dli_saddr,
                               (uint64_t)(uintptr_t)info.dli_saddr +
                                   (symbol->st_size > 0 ? symbol->st_size : 64));
    }
    if (error == 0)
        dl_iterate_phdr(add_unwinder, &error);
    dl_iterate_phdr(find_program, &snt_process.program);
    return error;
}

int32_t snt_module_add(const struct snt_module *module, const struct snt_range *unsafe, uint32_t unsafe_count)
{
    uint32_t at = snt_process.module_count;
    if (at == SNT_MODULES_MAX)
        return ENOSPC;
    uint64_t kept = at == 0 ? 0 : snt_process.modules[at - 1].tls_at + snt_process.modules[at - 1].tls_bytes;
    if (module->tls_bytes > SNT_TLS_MAX - kept)
        return ENOSPC;
    int32_t error = 0;
    struct snt_range *all = &snt_process.unsafe_in_modules;
    for (uint32_t i = 0; error == 0 && i < unsafe_count; i++) {
        error = add_unsafe(unsafe[i].first, unsafe[i].end);
        all->first = all->first == 0 || unsafe[i].first < all->first ? unsafe[i].first : all->first;
        all->end = unsafe[i].end > all->end ? unsafe[i].end : all->end;
    }
    if (error != 0)
        return error;
    snt_process.modules[at] = *module;
    snt_process.modules[at].tls_at = kept;
    snt_process.throws[at] = unsafe_count > 0;
    __atomic_store_n(&snt_process.module_count, at + 1, __ATOMIC_RELEASE);
    return 0;
}
