/*
 * load.c: loading native modules, and saying in words where in the process an address is.
 */
#include "native_thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

struct search {
    uint64_t inside; /* an address of the module's dynamic section, which only it contains */
    struct snt_module *module;
    uint64_t thread_locals;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct search *search = argument;
    uint64_t first = UINT64_MAX, end = 0, tls_bytes = 0;
    for (uint16_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uint64_t at = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_TLS)
            tls_bytes = segment->p_memsz;
        if (segment->p_type != PT_LOAD)
            continue;
        first = at < first ? at : first;
        end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
    }
    if (search->inside < first || search->inside >= end)
        return 0;
    search->module->first = first;
    search->module->end = end;
    search->module->tls_bytes = tls_bytes;
    search->thread_locals = (uint64_t)(uintptr_t)info->dlpi_tls_data;
    return 1;
}

/* In a thread of its own: one that is older than the module is not told where its block is. */
static void *look_in_a_new_thread(void *argument)
{
    struct search *search = argument;
    uint64_t self;
    dl_iterate_phdr(look_at, search);
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    if (search->module->tls_bytes != 0)
        search->module->tls_offset = self - search->thread_locals;
    return NULL;
}

int32_t snt_module_load(const char *path, void **handle, struct snt_module *module, uint64_t *moved,
                        char *error, uint64_t error_bytes)
{
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*handle == NULL) {
        snprintf(error, error_bytes, "%s", dlerror());
        return ENOENT;
    }
    struct link_map *map = NULL;
    if (dlinfo(*handle, RTLD_DI_LINKMAP, &map) != 0)
        return EINVAL;
    *module = (struct snt_module){0};
    *moved = map->l_addr;
    struct search search = {.inside = (uint64_t)(uintptr_t)map->l_ld, .module = module};
    pthread_t thread;
    int32_t failed = pthread_create(&thread, NULL, look_in_a_new_thread, &search);
    if (failed == 0)
        failed = pthread_join(thread, NULL);
    if (failed == 0 && module->end == 0)
        failed = ENOENT;
    return failed;
}

void *snt_module_symbol(void *handle, const char *name)
{
    return dlsym(handle, name);
}

int32_t snt_describe(uint64_t pc, char *text, uint64_t bytes)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)pc, &info) == 0 || info.dli_fname == NULL) {
        snprintf(text, bytes, "code at 0x%llx that is in no library, as managed code is",
                 (unsigned long long)pc);
        return ENOENT;
    }
    const char *file = strrchr(info.dli_fname, '/');
    snprintf(text, bytes, "%s of %s", info.dli_sname != NULL ? info.dli_sname : "a function that has no name",
             file != NULL ? file + 1 : info.dli_fname);
    return 0;
}

int32_t snt_path(char *text, uint64_t bytes)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)snt_path, &info) == 0 || info.dli_fname == NULL)
        return ENOENT;
    snprintf(text, bytes, "%s", info.dli_fname);
    return 0;
}

uint64_t snt_record_bytes(void)
{
    return sizeof(struct snt_record);
}
