/*
 * layout.c: where the fields of structs lie that the C# part knows, too. It compares them with its own. What
 * comes last in a record is the runtime's alone.
 */
#include "../layout.h"

#include "native_thread.h"

static const struct sn_layout s_layouts[] = {
    SN_STRUCT(snt_module),
    SN_FIELD(snt_module, first),
    SN_FIELD(snt_module, end),
    SN_FIELD(snt_module, tls_offset),
    SN_FIELD(snt_module, tls_bytes),
    SN_FIELD(snt_module, tls_at),
    SN_STRUCT(snt_question),
    SN_FIELD(snt_question, state),
    SN_FIELD(snt_question, kind),
    SN_FIELD(snt_question, arguments),
    SN_FIELD(snt_question, answer),
    SN_STRUCT(snt_record),
    SN_FIELD(snt_record, state),
    SN_FIELD(snt_record, function),
    SN_FIELD(snt_record, argument),
    SN_FIELD(snt_record, result),
    SN_FIELD(snt_record, stack_low),
    SN_FIELD(snt_record, stack_high),
    SN_FIELD(snt_record, signal_stack),
    SN_FIELD(snt_record, frame),
    SN_FIELD(snt_record, fs_base),
    SN_FIELD(snt_record, canary),
    SN_FIELD(snt_record, pointer_guard),
    SN_FIELD(snt_record, saved_errno),
    SN_FIELD(snt_record, seat),
    SN_FIELD(snt_record, owner),
    SN_FIELD(snt_record, reserved),
    SN_FIELD(snt_record, question),
    SN_FIELD(snt_record, name),
    SN_STRUCT(snt_environment),
    SN_FIELD(snt_environment, vector_state),
    SN_FIELD(snt_environment, signal_stack_min),
    SN_FIELD(snt_environment, errno_offset),
    SN_FIELD(snt_environment, libc_version),
    SN_STRUCT(sn_mutex),
    SN_FIELD(sn_mutex, word),
    SN_STRUCT(sn_barrier),
    SN_FIELD(sn_barrier, state),
    SN_FIELD(sn_barrier, participants),
    SN_FIELD(sn_barrier, reserved),
    SN_FIELD(sn_barrier, records),
};

int32_t snt_layouts(const struct sn_layout **layouts, uint64_t *count)
{
    *layouts = s_layouts;
    *count = sizeof s_layouts / sizeof s_layouts[0];
    return 0;
}
