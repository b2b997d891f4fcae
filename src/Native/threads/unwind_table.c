/*
 * unwind_table.c: see unwind_table.h. What is read of the tables is bounded by the object's mapping, as the
 * dynamic loader has it (_dl_find_object, which is safe in a signal handler).
 */
#include "unwind_table.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define RULES_SAVED_MAX 8u

/* Pointer encodings (Linux Standard Base, Core, 10.5.1). */
#define ENCODING_OMITTED 0xff
#define ENCODING_FORMAT 0x0f
#define ENCODING_RELATIVE 0x70
#define RELATIVE_TO_PC 0x10
#define RELATIVE_TO_HEADER 0x30

uint64_t sn_read_fixed(struct cursor *from, size_t bytes)
{
    uint64_t value = 0;
    if (from->bad || (size_t)(from->end - from->at) < bytes) {
        from->bad = 1;
        return 0;
    }
    memcpy(&value, from->at, bytes);
    from->at += bytes;
    return value;
}

uint64_t sn_read_uleb(struct cursor *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = sn_read_fixed(from, 1);
        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    from->bad = 1;
    return 0;
}

int64_t sn_read_sleb(struct cursor *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
        uint64_t byte = sn_read_fixed(from, 1);
        value |= (byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) != 0)
            continue;
        if ((byte & 0x40) != 0 && shift < 64)
            value |= ~UINT64_C(0) << shift;
        return (int64_t)value;
    }
    from->bad = 1;
    return 0;
}

static uint64_t read_pointer(struct cursor *from, uint8_t encoding, uint64_t header)
{
    uint64_t here = (uint64_t)(uintptr_t)from->at, value;
    switch (encoding & ENCODING_FORMAT) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = sn_read_fixed(from, 8);
        break;
    case 0x03:
        value = sn_read_fixed(from, 4);
        break;
    case 0x0b:
        value = (uint64_t)(int64_t)(int32_t)sn_read_fixed(from, 4);
        break;
    case 0x02:
        value = sn_read_fixed(from, 2);
        break;
    case 0x0a:
        value = (uint64_t)(int64_t)(int16_t)sn_read_fixed(from, 2);
        break;
    case 0x01:
        value = sn_read_uleb(from);
        break;
    case 0x09:
        value = (uint64_t)sn_read_sleb(from);
        break;
    default:
        from->bad = 1;
        return 0;
    }
    switch (encoding & ENCODING_RELATIVE) {
    case 0:
        return value;
    case RELATIVE_TO_PC:
        return value + here;
    case RELATIVE_TO_HEADER:
        return value + header;
    default:
        from->bad = 1;
        return 0;
    }
}

static void skip(struct cursor *from, uint64_t bytes)
{
    if (from->bad || (uint64_t)(from->end - from->at) < bytes)
        from->bad = 1;
    else
        from->at += bytes;
}

/* ---- finding the entry for an address ------------------------------------------------------------------ */

/*
 * The entry whose code begins last at or before the address, by the table that the linker sorted; NULL: none.
 */
static const uint8_t *look_up(const struct dl_find_object *object, uint64_t pc)
{
    const uint8_t *header = object->dlfo_eh_frame;
    uint64_t origin = (uint64_t)(uintptr_t)header;
    struct cursor from = {.at = header, .end = object->dlfo_map_end};
    uint64_t version = sn_read_fixed(&from, 1), frame = sn_read_fixed(&from, 1);
    uint64_t count_encoding = sn_read_fixed(&from, 1), table_encoding = sn_read_fixed(&from, 1);
    if (version != 1 || frame == ENCODING_OMITTED || count_encoding == ENCODING_OMITTED ||
        table_encoding != 0x3b)
        return NULL;
    read_pointer(&from, (uint8_t)frame, origin);
    uint64_t count = read_pointer(&from, (uint8_t)count_encoding, origin);
    if (from.bad || count == 0 || (uint64_t)(from.end - from.at) / 8 < count)
        return NULL;

    const uint8_t *table = from.at;
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int32_t code;
        memcpy(&code, table + middle * 8, sizeof code);
        if (origin + (uint64_t)(int64_t)code <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    int32_t entry;
    memcpy(&entry, table + (low - 1) * 8 + 4, sizeof entry);
    return (const uint8_t *)(uintptr_t)(origin + (uint64_t)(int64_t)entry);
}

/* A record of .eh_frame: its length, then so many bytes. */
static struct cursor open_record(const uint8_t *record, const struct dl_find_object *object)
{
    struct cursor from = {.at = record, .end = object->dlfo_map_end};
    if (record < (const uint8_t *)object->dlfo_map_start || record >= from.end)
        from.bad = 1;
    uint64_t length = sn_read_fixed(&from, 4);
    if (length == 0 || length == UINT32_MAX || (uint64_t)(from.end - from.at) < length)
        from.bad = 1;
    else
        from.end = from.at + length;
    return from;
}

/* What entries share: "CIE" in the standard. */
static int32_t read_shared(struct cursor from, struct entry *entry)
{
    if (sn_read_fixed(&from, 4) != 0 || sn_read_fixed(&from, 1) != 1)
        return ENOTSUP;
    const char *augmentation = (const char *)from.at;
    while (sn_read_fixed(&from, 1) != 0)
        continue;
    if (from.bad)
        return ENOTSUP;
    entry->code_factor = sn_read_uleb(&from);
    entry->data_factor = sn_read_sleb(&from);
    entry->return_register = sn_read_fixed(&from, 1);
    entry->encoding = 0;
    entry->is_signal_frame = 0;
    entry->has_data = *augmentation == 'z';
    if (entry->has_data) {
        struct cursor data = from;
        uint64_t length = sn_read_uleb(&from);
        sn_read_uleb(&data);
        skip(&from, length);
        for (const char *letter = augmentation + 1; *letter != 0; letter++) {
            if (*letter == 'R') {
                entry->encoding = (uint8_t)sn_read_fixed(&data, 1);
            } else if (*letter == 'P') {
                uint8_t encoding = (uint8_t)sn_read_fixed(&data, 1);
                read_pointer(&data, encoding & ENCODING_FORMAT, 0);
            } else if (*letter == 'L') {
                sn_read_fixed(&data, 1);
            } else if (*letter == 'S') {
                entry->is_signal_frame = 1;
            } else {
                return ENOTSUP;
            }
        }
        if (data.bad)
            return ENOTSUP;
    } else if (*augmentation != 0) {
        return ENOTSUP;
    }
    entry->initial_program = from;
    return from.bad ? ENOTSUP : 0;
}

int32_t sn_find_entry(uint64_t pc, struct entry *entry)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)(uintptr_t)pc, &object) != 0 || object.dlfo_eh_frame == NULL)
        return ENOENT;
    const uint8_t *record = look_up(&object, pc);
    if (record == NULL)
        return ENOENT;
    struct cursor from = open_record(record, &object);
    const uint8_t *id = from.at;
    uint64_t back = sn_read_fixed(&from, 4);
    if (from.bad || back == 0)
        return ENOTSUP;
    struct cursor shared = open_record(id - back, &object);
    if (shared.bad)
        return ENOTSUP;
    int32_t error = read_shared(shared, entry);
    if (error != 0)
        return error;
    entry->first = read_pointer(&from, entry->encoding, 0);
    entry->length = read_pointer(&from, entry->encoding & ENCODING_FORMAT, 0);
    if (entry->has_data)
        skip(&from, sn_read_uleb(&from));
    entry->program = from;
    if (from.bad)
        return ENOTSUP;
    return pc - entry->first < entry->length ? 0 : ENOENT;
}

/* ---- what an entry says of an address ------------------------------------------------------------------ */

#define NOT_MINE (-1)

/* A program being run. `initial`: what the shared program had set, or NULL in it. */
struct machine {
    struct cursor from;
    const struct entry *entry;
    const struct rules *initial;
    struct rules *rules;
    struct rules saved[RULES_SAVED_MAX];
    uint32_t depth;
    uint64_t at; /* the code that the rules are about by now */
};

static const uint8_t *read_expression(struct cursor *from)
{
    const uint8_t *expression = from->at;
    skip(from, sn_read_uleb(from));
    return expression;
}

static void set_rule(struct rules *rules, uint64_t of, uint8_t kind, int64_t offset)
{
    if (of >= SN_REGISTERS)
        return; /* vector and other registers: nobody's address depends on them */
    rules->registers[of] = (struct rule){.kind = kind, .offset = offset};
}

/* Those that go on to other code, and those that remember. */
static int32_t run_advance(struct machine *machine, uint8_t op, uint8_t low)
{
    struct cursor *from = &machine->from;
    switch (op) {
    case 0x40: /* advance_loc */
        machine->at += low * machine->entry->code_factor;
        return 0;
    case 0x00: /* nop */
        return 0;
    case 0x01: /* set_loc */
        machine->at = read_pointer(from, machine->entry->encoding, 0);
        return 0;
    case 0x02: /* advance_loc1 */
    case 0x03: /* advance_loc2 */
    case 0x04: /* advance_loc4 */
        machine->at += sn_read_fixed(from, (size_t)1 << (op - 2)) * machine->entry->code_factor;
        return 0;
    case 0x0a: /* remember_state */
        if (machine->depth == RULES_SAVED_MAX)
            return ENOTSUP;
        machine->saved[machine->depth++] = *machine->rules;
        return 0;
    case 0x0b: /* restore_state */
        if (machine->depth == 0)
            return ENOTSUP;
        *machine->rules = machine->saved[--machine->depth];
        return 0;
    case 0x2e: /* GNU_args_size */
        sn_read_uleb(from);
        return 0;
    default:
        return NOT_MINE;
    }
}

/* Those that say where the frame is. */
static int32_t run_frame(struct machine *machine, uint8_t op)
{
    struct cursor *from = &machine->from;
    struct rules *rules = machine->rules;
    switch (op) {
    case 0x0c: /* def_cfa */
        rules->cfa_register = sn_read_uleb(from);
        rules->cfa_offset = (int64_t)sn_read_uleb(from);
        rules->cfa_expression = NULL;
        return 0;
    case 0x0d: /* def_cfa_register */
        rules->cfa_register = sn_read_uleb(from);
        return 0;
    case 0x0e: /* def_cfa_offset */
        rules->cfa_offset = (int64_t)sn_read_uleb(from);
        return 0;
    case 0x0f: /* def_cfa_expression */
        rules->cfa_expression = read_expression(from);
        return 0;
    case 0x12: /* def_cfa_sf */
        rules->cfa_register = sn_read_uleb(from);
        rules->cfa_offset = sn_read_sleb(from) * machine->entry->data_factor;
        rules->cfa_expression = NULL;
        return 0;
    case 0x13: /* def_cfa_offset_sf */
        rules->cfa_offset = sn_read_sleb(from) * machine->entry->data_factor;
        return 0;
    default:
        return NOT_MINE;
    }
}

/* Those that say where a register is. */
static int32_t run_register(struct machine *machine, uint8_t op, uint8_t low)
{
    struct cursor *from = &machine->from;
    struct rules *rules = machine->rules;
    int64_t factor = machine->entry->data_factor;
    uint64_t of = op >= 0x40 ? low : sn_read_uleb(from);
    switch (op) {
    case 0x80: /* offset */
    case 0x05: /* offset_extended */
        set_rule(rules, of, RULE_AT_CFA, (int64_t)sn_read_uleb(from) * factor);
        return 0;
    case 0xc0: /* restore */
    case 0x06: /* restore_extended */
        if (machine->initial == NULL)
            return ENOTSUP;
        if (of < SN_REGISTERS)
            rules->registers[of] = machine->initial->registers[of];
        return 0;
    case 0x07: /* undefined */
        set_rule(rules, of, RULE_UNDEFINED, 0);
        return 0;
    case 0x08: /* same_value */
        set_rule(rules, of, RULE_SAME, 0);
        return 0;
    case 0x09: /* register */
        set_rule(rules, of, RULE_REGISTER, (int64_t)sn_read_uleb(from));
        return 0;
    case 0x10: /* expression */
    case 0x16: /* val_expression */
        set_rule(rules, of, op == 0x10 ? RULE_EXPRESSION : RULE_VALUE, 0);
        if (of < SN_REGISTERS)
            rules->registers[of].expression = from->at;
        read_expression(from);
        return 0;
    case 0x11: /* offset_extended_sf */
        set_rule(rules, of, RULE_AT_CFA, sn_read_sleb(from) * factor);
        return 0;
    case 0x14: /* val_offset */
        set_rule(rules, of, RULE_CFA_PLUS, (int64_t)sn_read_uleb(from) * factor);
        return 0;
    default:
        return ENOTSUP;
    }
}

/* Runs a program until it comes to code behind `pc`. */
static int32_t run(struct cursor from, const struct entry *entry, uint64_t pc, const struct rules *initial,
                   struct rules *rules)
{
    struct machine machine = {
        .from = from, .entry = entry, .initial = initial, .rules = rules, .at = entry->first};
    while (machine.from.at < machine.from.end && !machine.from.bad && machine.at <= pc) {
        uint8_t byte = (uint8_t)sn_read_fixed(&machine.from, 1), low = byte & 0x3f;
        uint8_t op = byte >= 0x40 ? byte & 0xc0 : byte;
        int32_t error = run_advance(&machine, op, low);
        if (error == NOT_MINE)
            error = run_frame(&machine, op);
        if (error == NOT_MINE)
            error = run_register(&machine, op, low);
        if (error != 0)
            return error;
    }
    return machine.from.bad ? ENOTSUP : 0;
}

int32_t sn_find_rules(const struct entry *entry, uint64_t pc, struct rules *rules)
{
    *rules = (struct rules){.cfa_register = SN_REGISTER_RSP};
    int32_t error = run(entry->initial_program, entry, UINT64_MAX, NULL, rules);
    if (error != 0)
        return error;
    struct rules initial = *rules;
    return run(entry->program, entry, pc, &initial, rules);
}
