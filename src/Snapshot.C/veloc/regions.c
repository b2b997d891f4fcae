/*
 * regions.c: memory that the program registers, by label and id.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct label *g_labels;

/* NULL: there is no such label, and none is made; or there is no memory. */
struct label *vs_label_of(const char *name, int make)
{
    for (struct label *label = g_labels; label != NULL; label = label->next) {
        if (strcmp(label->name, name) == 0)
            return label;
    }
    struct label *label = make ? calloc(1, sizeof *label) : NULL;
    if (label != NULL) {
        snprintf(label->name, sizeof label->name, "%s", name);
        label->next = g_labels;
        g_labels = label;
    }
    return label;
}

struct region **vs_find(struct region **list, int id)
{
    while (*list != NULL && (*list)->id != id)
        list = &(*list)->next;
    return list;
}

int vs_add(struct region **list, int id, void *memory, size_t bytes)
{
    struct region **at = vs_find(list, id);
    if (*at == NULL && (*at = calloc(1, sizeof **at)) == NULL)
        return vs_fail("there is no memory for region %d", id);
    (*at)->id = id;
    (*at)->memory = memory;
    (*at)->bytes = bytes;
    return VELOC_SUCCESS;
}

void vs_take_out(struct region **at)
{
    struct region *region = *at;
    *at = region->next;
    free(region);
}

/* The memory may be freed after this: no session may look at it again. */
static void let_go(int id, const struct label *of)
{
    char name[16];
    snprintf(name, sizeof name, "%d", id);
    for (struct label *label = g_labels; label != NULL; label = label->next) {
        struct region **at = vs_find(&label->captured, id);
        if (*at == NULL || (of->name[0] != 0 && label != of))
            continue;
        snapshot_unprotect(label->session, name);
        vs_take_out(at);
    }
}

int VELOC_Region_protect(int id, void *ptr, size_t count, size_t base_size, const char *name)
{
    struct label *label = g_client.is_open ? vs_label_of(name, 1) : NULL;
    if (label == NULL)
        return vs_fail("VELOC_Mem_protect before VELOC_Init, or without memory");
    struct region *old = *vs_find(&label->regions, id);
    if (old != NULL && (old->memory != ptr || old->bytes != count * base_size))
        let_go(id, label);
    return vs_add(&label->regions, id, ptr, count * base_size);
}

int VELOC_Region_unprotect(int id, const char *name)
{
    struct label *label = vs_label_of(name, 0);
    struct region **at = label != NULL ? vs_find(&label->regions, id) : NULL;
    if (at == NULL || *at == NULL)
        return VELOC_FAILURE;
    let_go(id, label);
    vs_take_out(at);
    return VELOC_SUCCESS;
}

int VELOC_Region_clear(const char *name)
{
    struct label *label = vs_label_of(name, 0);
    while (label != NULL && label->regions != NULL)
        VELOC_Region_unprotect(label->regions->id, name);
    return g_client.is_open ? VELOC_SUCCESS : VELOC_FAILURE;
}

int VELOC_Mem_protect(int id, void *ptr, size_t count, size_t base_size)
{
    return VELOC_Region_protect(id, ptr, count, base_size, "");
}

int VELOC_Mem_unprotect(int id)
{
    return VELOC_Region_unprotect(id, "");
}

int VELOC_Mem_clear(void)
{
    return VELOC_Region_clear("");
}

/* Those of the label, else those of all labels. */
struct region *vs_regions_of(const struct label *label)
{
    struct label *common = vs_label_of("", 0);
    return label->regions != NULL || common == NULL ? label->regions : common->regions;
}

/* Whether a selective call means this region. */
int vs_is_chosen(int id, int mode, const int *ids, int count)
{
    int listed = 0;
    for (int i = 0; i < count && !listed; i++)
        listed = ids[i] == id;
    return mode == VELOC_CKPT_ALL || (mode == VELOC_CKPT_SOME) == listed;
}
