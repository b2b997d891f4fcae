/*
 * layout.h: how a library tells the C# part where the fields of structs lie that both know. Internal to the C
 * part; the runtime of native threads uses it, too.
 */
#ifndef SNAPSHOT_LAYOUT_H
#define SNAPSHOT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/* A field; or, where `field` is empty, a struct, before its fields. */
struct sn_layout {
    const char *structure;
    const char *field;
    uint32_t offset;
    uint32_t bytes;
};

/* Versions of clang-format differ about what these two are. */
/* clang-format off */
#define SN_STRUCT(type) {#type, "", 0, sizeof(struct type)}
#define SN_FIELD(type, field) {#type, #field, offsetof(struct type, field), sizeof(((struct type *)0)->field)}
/* clang-format on */

#endif
