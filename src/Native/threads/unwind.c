/* unwind.c: see unwind.h. */
#include "unwind_table.h"

#include <errno.h>
#include <string.h>

#define VALUES_MAX 16u

/* What may be read of the stack. */
struct stack {
    uint64_t low;
    uint64_t high;
};

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
        *value = sn_read_fixed(from, 1);
        return 0;
    case 0x09:
        *value = (uint64_t)(int64_t)(int8_t)sn_read_fixed(from, 1);
        return 0;
    case 0x0a:
        *value = sn_read_fixed(from, 2);
        return 0;
    case 0x0b:
        *value = (uint64_t)(int64_t)(int16_t)sn_read_fixed(from, 2);
        return 0;
    case 0x0c:
        *value = sn_read_fixed(from, 4);
        return 0;
    case 0x0d:
        *value = (uint64_t)(int64_t)(int32_t)sn_read_fixed(from, 4);
        return 0;
    case 0x0e:
    case 0x0f:
        *value = sn_read_fixed(from, 8);
        return 0;
    case 0x10:
        *value = sn_read_uleb(from);
        return 0;
    case 0x11:
        *value = (uint64_t)sn_read_sleb(from);
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
    uint64_t length = sn_read_uleb(&from);
    from.end = from.at + length;
    if (pushed != NULL)
        values[depth++] = *pushed;
    while (from.at < from.end && !from.bad) {
        uint8_t op = (uint8_t)sn_read_fixed(&from, 1);
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
            values[depth - 1] += sn_read_uleb(&from);
            continue;
        }
        if (op >= 0x70 && op <= 0x8f) { /* breg */
            error = register_of(frame, op - 0x70u, &value);
            value += (uint64_t)sn_read_sleb(&from);
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

static int32_t apply(const struct rule *rule, uint64_t of, const struct sn_frame *frame,
                     const struct stack *stack, uint64_t cfa, struct sn_frame *caller)
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
    int32_t error = sn_find_entry(pc, &entry);
    if (error != 0)
        return error;
    if (entry.return_register != SN_REGISTER_RIP || entry.is_signal_frame)
        return ENOTSUP; /* what a signal interrupted was not called, and has no return address */

    struct rules rules;
    error = sn_find_rules(&entry, pc, &rules);
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
