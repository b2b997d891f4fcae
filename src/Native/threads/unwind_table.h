/*
 * unwind_table.h: what the tables that compilers leave in .eh_frame say of an address: by which rules the
 * registers of the caller are found. Used by unwind.c alone; as safe in signal handlers as that.
 */
#ifndef SNAPSHOT_MODULE_UNWIND_TABLE_H
#define SNAPSHOT_MODULE_UNWIND_TABLE_H

#include "unwind.h"

#include <stddef.h>

enum rule_kind {
    RULE_SAME,
    RULE_UNDEFINED,
    RULE_AT_CFA,
    RULE_CFA_PLUS,
    RULE_EXPRESSION,
    RULE_VALUE,
    RULE_REGISTER
};

struct rule {
    uint8_t kind;
    int64_t offset;            /* or the register */
    const uint8_t *expression; /* with its length before it */
};

struct rules {
    struct rule registers[SN_REGISTERS];
    uint64_t cfa_register;
    int64_t cfa_offset;
    const uint8_t *cfa_expression;
};

/* Bytes being read; `bad` once one was asked for that is not there. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    int bad;
};

struct entry {
    struct cursor program;         /* of the entry itself */
    struct cursor initial_program; /* of what it shares with others */
    uint64_t first;                /* the code it is about */
    uint64_t length;
    uint64_t code_factor;
    int64_t data_factor;
    uint64_t return_register;
    uint8_t encoding;
    int has_data; /* entries have augmentation data, with its length before it */
    int is_signal_frame;
};

uint64_t sn_read_fixed(struct cursor *from, size_t bytes);
uint64_t sn_read_uleb(struct cursor *from);
int64_t sn_read_sleb(struct cursor *from);

/* 0, ENOENT or ENOTSUP, as sn_unwind_step. */
int32_t sn_find_entry(uint64_t pc, struct entry *entry);
int32_t sn_find_rules(const struct entry *entry, uint64_t pc, struct rules *rules);

#endif
