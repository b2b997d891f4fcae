/*
 * unwind.c: see unwind.h. What is read of the tables is bounded by the object's mapping, as the dynamic loader has it
 * (_dl_find_object, which is safe in a signal handler).
 */
#include "unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define RULES_SAVED_MAX 8u
#define VALUES_MAX 16u

/* Pointer encodings (Linux Standard Base, Core, 10.5.1). */
#define ENCODING_OMITTED 0xff
#define ENCODING_FORMAT 0x0f
#define ENCODING_RELATIVE 0x70
#define RELATIVE_TO_PC 0x10
#define RELATIVE_TO_HEADER 0x30

enum rule_kind { RULE_SAME, RULE_UNDEFINED, RULE_AT_CFA, RULE_CFA_PLUS, RULE_EXPRESSION, RULE_VALUE, RULE_REGISTER };

struct rule {
    uint8_t kind;
    int64_t offset;             /* or the register */
    const uint8_t *expression;  /* with its length before it */
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

struct stack {
    uint64_t low;
    uint64_t high;
};

static uint64_t read_fixed(struct cursor *from, size_t bytes)
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

static uint64_t read_uleb(struct cursor *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = read_fixed(from, 1);
        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    from->bad = 1;
    return 0;
}

static int64_t read_sleb(struct cursor *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
        uint64_t byte = read_fixed(from, 1);
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
        value = read_fixed(from, 8);
        break;
    case 0x03:
        value = read_fixed(from, 4);
        break;
    case 0x0b:
        value = (uint64_t)(int64_t)(int32_t)read_fixed(from, 4);
        break;
    case 0x02:
        value = read_fixed(from, 2);
        break;
    case 0x0a:
        value = (uint64_t)(int64_t)(int16_t)read_fixed(from, 2);
        break;
    case 0x01:
        value = read_uleb(from);
        break;
    case 0x09:
        value = (uint64_t)read_sleb(from);
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

/* ---- finding the entry for an address -------------------------------------------------------------------- */

/* The entry whose code begins last at or before the address, by the table that the linker sorted; NULL: none. */
static const uint8_t *look_up(const struct dl_find_object *object, uint64_t pc)
{
    const uint8_t *header = object->dlfo_eh_frame;
    uint64_t origin = (uint64_t)(uintptr_t)header;
    struct cursor from = {.at = header, .end = object->dlfo_map_end};
    uint64_t version = read_fixed(&from, 1), frame = read_fixed(&from, 1);
    uint64_t count_encoding = read_fixed(&from, 1), table_encoding = read_fixed(&from, 1);
    if (version != 1 || frame == ENCODING_OMITTED || count_encoding == ENCODING_OMITTED || table_encoding != 0x3b)
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
    uint64_t length = read_fixed(&from, 4);
    if (length == 0 || length == UINT32_MAX || (uint64_t)(from.end - from.at) < length)
        from.bad = 1;
    else
        from.end = from.at + length;
    return from;
}

/* What entries share: "CIE" in the standard. */
static int32_t read_shared(struct cursor from, struct entry *entry)
{
    if (read_fixed(&from, 4) != 0 || read_fixed(&from, 1) != 1)
        return ENOTSUP;
    const char *augmentation = (const char *)from.at;
    while (read_fixed(&from, 1) != 0)
        continue;
    if (from.bad)
        return ENOTSUP;
    entry->code_factor = read_uleb(&from);
    entry->data_factor = read_sleb(&from);
    entry->return_register = read_fixed(&from, 1);
    entry->encoding = 0;
    entry->is_signal_frame = 0;
    entry->has_data = *augmentation == 'z';
    if (entry->has_data) {
        struct cursor data = from;
        uint64_t length = read_uleb(&from);
        read_uleb(&data);
        skip(&from, length);
        for (const char *letter = augmentation + 1; *letter != 0; letter++) {
            if (*letter == 'R') {
                entry->encoding = (uint8_t)read_fixed(&data, 1);
            } else if (*letter == 'P') {
                uint8_t encoding = (uint8_t)read_fixed(&data, 1);
                read_pointer(&data, encoding & ENCODING_FORMAT, 0);
            } else if (*letter == 'L') {
                read_fixed(&data, 1);
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

static int32_t find_entry(uint64_t pc, struct entry *entry)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)(uintptr_t)pc, &object) != 0 || object.dlfo_eh_frame == NULL)
        return ENOENT;
    const uint8_t *record = look_up(&object, pc);
    if (record == NULL)
        return ENOENT;
    struct cursor from = open_record(record, &object);
    const uint8_t *id = from.at;
    uint64_t back = read_fixed(&from, 4);
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
        skip(&from, read_uleb(&from));
    entry->program = from;
    if (from.bad)
        return ENOTSUP;
    return pc - entry->first < entry->length ? 0 : ENOENT;
}

/* ---- what an entry says of an address --------------------------------------------------------------------- */

static const uint8_t *read_expression(struct cursor *from)
{
    const uint8_t *expression = from->at;
    skip(from, read_uleb(from));
    return expression;
}

static void set_rule(struct rules *rules, uint64_t of, uint8_t kind, int64_t offset)
{
    if (of >= SN_REGISTERS)
        return; /* vector and other registers: nobody's address depends on them */
    rules->registers[of] = (struct rule){.kind = kind, .offset = offset};
}

/* Runs a program until it comes to code behind `pc`. `initial`: what the shared program had set, or NULL in it. */
static int32_t run(struct cursor from, const struct entry *entry, uint64_t pc, const struct rules *initial,
                   struct rules *rules)
{
    struct rules saved[RULES_SAVED_MAX];
    uint32_t depth = 0;
    uint64_t at = entry->first, of;
    while (from.at < from.end && !from.bad && at <= pc) {
        uint8_t op = (uint8_t)read_fixed(&from, 1), low = op & 0x3f;
        switch (op >= 0x40 ? op & 0xc0 : op) {
        case 0x40: /* advance_loc */
            at += low * entry->code_factor;
            break;
        case 0x80: /* offset */
            set_rule(rules, low, RULE_AT_CFA, (int64_t)read_uleb(&from) * entry->data_factor);
            break;
        case 0xc0: /* restore */
            if (initial == NULL || low >= SN_REGISTERS)
                return ENOTSUP;
            rules->registers[low] = initial->registers[low];
            break;
        case 0x00: /* nop */
            break;
        case 0x01: /* set_loc */
            at = read_pointer(&from, entry->encoding, 0);
            break;
        case 0x02: /* advance_loc1 */
            at += read_fixed(&from, 1) * entry->code_factor;
            break;
        case 0x03: /* advance_loc2 */
            at += read_fixed(&from, 2) * entry->code_factor;
            break;
        case 0x04: /* advance_loc4 */
            at += read_fixed(&from, 4) * entry->code_factor;
            break;
        case 0x05: /* offset_extended */
            of = read_uleb(&from);
            set_rule(rules, of, RULE_AT_CFA, (int64_t)read_uleb(&from) * entry->data_factor);
            break;
        case 0x06: /* restore_extended */
            of = read_uleb(&from);
            if (initial == NULL)
                return ENOTSUP;
            if (of < SN_REGISTERS)
                rules->registers[of] = initial->registers[of];
            break;
        case 0x07: /* undefined */
            set_rule(rules, read_uleb(&from), RULE_UNDEFINED, 0);
            break;
        case 0x08: /* same_value */
            set_rule(rules, read_uleb(&from), RULE_SAME, 0);
            break;
        case 0x09: /* register */
            of = read_uleb(&from);
            set_rule(rules, of, RULE_REGISTER, (int64_t)read_uleb(&from));
            break;
        case 0x0a: /* remember_state */
            if (depth == RULES_SAVED_MAX)
                return ENOTSUP;
            saved[depth++] = *rules;
            break;
        case 0x0b: /* restore_state */
            if (depth == 0)
                return ENOTSUP;
            *rules = saved[--depth];
            break;
        case 0x0c: /* def_cfa */
            rules->cfa_register = read_uleb(&from);
            rules->cfa_offset = (int64_t)read_uleb(&from);
            rules->cfa_expression = NULL;
            break;
        case 0x0d: /* def_cfa_register */
            rules->cfa_register = read_uleb(&from);
            break;
        case 0x0e: /* def_cfa_offset */
            rules->cfa_offset = (int64_t)read_uleb(&from);
            break;
        case 0x0f: /* def_cfa_expression */
            rules->cfa_expression = read_expression(&from);
            break;
        case 0x10: /* expression */
        case 0x16: /* val_expression */
            of = read_uleb(&from);
            set_rule(rules, of, op == 0x10 ? RULE_EXPRESSION : RULE_VALUE, 0);
            if (of < SN_REGISTERS)
                rules->registers[of].expression = from.at;
            read_expression(&from);
            break;
        case 0x11: /* offset_extended_sf */
            of = read_uleb(&from);
            set_rule(rules, of, RULE_AT_CFA, read_sleb(&from) * entry->data_factor);
            break;
        case 0x12: /* def_cfa_sf */
            rules->cfa_register = read_uleb(&from);
            rules->cfa_offset = read_sleb(&from) * entry->data_factor;
            rules->cfa_expression = NULL;
            break;
        case 0x13: /* def_cfa_offset_sf */
            rules->cfa_offset = read_sleb(&from) * entry->data_factor;
            break;
        case 0x14: /* val_offset */
            of = read_uleb(&from);
            set_rule(rules, of, RULE_CFA_PLUS, (int64_t)read_uleb(&from) * entry->data_factor);
            break;
        case 0x2e: /* GNU_args_size */
            read_uleb(&from);
            break;
        default:
            return ENOTSUP;
        }
    }
    return from.bad ? ENOTSUP : 0;
}

/* ---- values ---------------------------------------------------------------------------------------------- */

static int32_t read_stack(const struct stack *stack, uint64_t address, uint64_t *value)
{
    if (address < stack->low || address > stack->high - sizeof *value || (address & 7) != 0)
        return EFAULT;
    memcpy(value, (const void *)(uintptr_t)address, sizeof *value);
    return 0;
}

static int32_t register_of(const struct sn_frame *frame, uint64_t of, uint64_t *value)
{
    if (of >= SN_REGISTERS || (frame->known & (1u << of)) == 0)
        return EFAULT;
    *value = frame->registers[of];
    return 0;
}

/* Operators on the two topmost values. */
static int32_t combine(uint8_t op, uint64_t left, uint64_t right, uint64_t *result)
{
    switch (op) {
    case 0x1a:
        *result = left & right;
        return 0;
    case 0x1c:
        *result = left - right;
        return 0;
    case 0x1e:
        *result = left * right;
        return 0;
    case 0x21:
        *result = left | right;
        return 0;
    case 0x22:
        *result = left + right;
        return 0;
    case 0x24:
        *result = right < 64 ? left << right : 0;
        return 0;
    case 0x25:
        *result = right < 64 ? left >> right : 0;
        return 0;
    case 0x29:
        *result = (int64_t)left == (int64_t)right;
        return 0;
    case 0x2a:
        *result = (int64_t)left >= (int64_t)right;
        return 0;
    case 0x2b:
        *result = (int64_t)left > (int64_t)right;
        return 0;
    case 0x2c:
        *result = (int64_t)left <= (int64_t)right;
        return 0;
    case 0x2d:
        *result = (int64_t)left < (int64_t)right;
        return 0;
    case 0x2e:
        *result = left != right;
        return 0;
    default:
        return ENOTSUP;
    }
}

/* A constant operand, or ENOTSUP when the operator has none. */
static int32_t constant(uint8_t op, struct cursor *from, uint64_t *value)
{
    switch (op) {
    case 0x08:
        *value = read_fixed(from, 1);
        return 0;
    case 0x09:
        *value = (uint64_t)(int64_t)(int8_t)read_fixed(from, 1);
        return 0;
    case 0x0a:
        *value = read_fixed(from, 2);
        return 0;
    case 0x0b:
        *value = (uint64_t)(int64_t)(int16_t)read_fixed(from, 2);
        return 0;
    case 0x0c:
        *value = read_fixed(from, 4);
        return 0;
    case 0x0d:
        *value = (uint64_t)(int64_t)(int32_t)read_fixed(from, 4);
        return 0;
    case 0x0e:
    case 0x0f:
        *value = read_fixed(from, 8);
        return 0;
    case 0x10:
        *value = read_uleb(from);
        return 0;
    case 0x11:
        *value = (uint64_t)read_sleb(from);
        return 0;
    default:
        *value = (uint64_t)op - 0x30;
        return op >= 0x30 && op <= 0x4f ? 0 : ENOTSUP;
    }
}

/* The value of an expression, its length before it. `pushed`: what lies on its stack at first, or NULL. */
static int32_t evaluate(const uint8_t *expression, const struct sn_frame *frame, const struct stack *stack,
                        const uint64_t *pushed, uint64_t *result)
{
    uint64_t values[VALUES_MAX];
    uint32_t depth = 0;
    struct cursor from = {.at = expression, .end = expression + 16};
    uint64_t length = read_uleb(&from);
    from.end = from.at + length;
    if (pushed != NULL)
        values[depth++] = *pushed;
    while (from.at < from.end && !from.bad) {
        uint8_t op = (uint8_t)read_fixed(&from, 1);
        uint64_t value = 0;
        int32_t error;
        if (op == 0x06) { /* deref */
            if (depth == 0)
                return ENOTSUP;
            error = read_stack(stack, values[depth - 1], &values[depth - 1]);
            if (error != 0)
                return error;
            continue;
        }
        if (op == 0x23) { /* plus_uconst */
            if (depth == 0)
                return ENOTSUP;
            values[depth - 1] += read_uleb(&from);
            continue;
        }
        if (op >= 0x70 && op <= 0x8f) { /* breg */
            error = register_of(frame, op - 0x70u, &value);
            value += (uint64_t)read_sleb(&from);
        } else if (op == 0x12) { /* dup */
            error = depth == 0 ? ENOTSUP : 0;
            value = depth == 0 ? 0 : values[depth - 1];
        } else if (op >= 0x1a && op <= 0x2e && depth >= 2) {
            error = combine(op, values[depth - 2], values[depth - 1], &value);
            depth -= 2;
        } else {
            error = constant(op, &from, &value);
        }
        if (error != 0)
            return error;
        if (depth == VALUES_MAX)
            return ENOTSUP;
        values[depth++] = value;
    }
    if (from.bad || depth == 0)
        return ENOTSUP;
    *result = values[depth - 1];
    return 0;
}

static int32_t apply(const struct rule *rule, uint64_t of, const struct sn_frame *frame, const struct stack *stack,
                     uint64_t cfa, struct sn_frame *caller)
{
    uint64_t value = 0;
    int32_t error = 0;
    switch (rule->kind) {
    case RULE_SAME:
        if ((frame->known & (1u << of)) == 0)
            return 0;
        value = frame->registers[of];
        break;
    case RULE_UNDEFINED:
        return 0;
    case RULE_AT_CFA:
        error = read_stack(stack, cfa + (uint64_t)rule->offset, &value);
        break;
    case RULE_CFA_PLUS:
        value = cfa + (uint64_t)rule->offset;
        break;
    case RULE_REGISTER:
        error = register_of(frame, (uint64_t)rule->offset, &value);
        break;
    default:
        error = evaluate(rule->expression, frame, stack, &cfa, &value);
        if (error == 0 && rule->kind == RULE_EXPRESSION)
            error = read_stack(stack, value, &value);
        break;
    }
    if (error != 0)
        return error;
    caller->registers[of] = value;
    caller->known |= 1u << of;
    return 0;
}

int32_t sn_unwind_step(struct sn_frame *frame, int32_t is_call, uint64_t low, uint64_t high)
{
    const struct stack stack = {.low = low, .high = high};
    struct entry entry = {.return_register = SN_REGISTER_RIP};
    uint64_t pc = frame->registers[SN_REGISTER_RIP] - (is_call ? 1 : 0);
    int32_t error = find_entry(pc, &entry);
    if (error != 0)
        return error;
    if (entry.return_register != SN_REGISTER_RIP || entry.is_signal_frame)
        return ENOTSUP; /* what a signal interrupted was not called, and has no return address */

    struct rules rules = {.cfa_register = SN_REGISTER_RSP}, initial;
    error = run(entry.initial_program, &entry, UINT64_MAX, NULL, &rules);
    if (error != 0)
        return error;
    initial = rules;
    error = run(entry.program, &entry, pc, &initial, &rules);
    if (error != 0)
        return error;
    if (rules.registers[SN_REGISTER_RIP].kind == RULE_UNDEFINED)
        return EDOM;

    uint64_t cfa;
    if (rules.cfa_expression != NULL) {
        error = evaluate(rules.cfa_expression, frame, &stack, NULL, &cfa);
    } else {
        error = register_of(frame, rules.cfa_register, &cfa);
        cfa += (uint64_t)rules.cfa_offset;
    }
    if (error != 0)
        return error;
    if (cfa <= frame->registers[SN_REGISTER_RSP] || cfa > high)
        return EFAULT;

    struct sn_frame caller = {.known = 0};
    for (uint32_t of = 0; of < SN_REGISTERS && error == 0; of++)
        error = of == SN_REGISTER_RSP ? 0 : apply(&rules.registers[of], of, frame, &stack, cfa, &caller);
    if (error != 0)
        return error;
    caller.registers[SN_REGISTER_RSP] = cfa;
    caller.known |= 1u << SN_REGISTER_RSP;
    if (rules.registers[SN_REGISTER_RIP].kind != RULE_AT_CFA)
        return ENOTSUP;
    caller.return_at = cfa + (uint64_t)rules.registers[SN_REGISTER_RIP].offset;
    *frame = caller;
    return 0;
}
