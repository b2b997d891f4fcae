/*
 * error.c: what went wrong, one text for each thread. It is here and not in C#, so that a thread may ask for
 * it before the runtime has been started, and after its own state there is gone.
 */
#include "library.h"

#include <stdio.h>
#include <string.h>

/* Longer texts, such as those that name many threads, end with an ellipsis. */
#define TEXT_BYTES 4096

static _Thread_local char t_text[TEXT_BYTES];
static _Thread_local int32_t t_code;

static const struct {
    int code;
    const char *name;
} NAMES[] = {
    {SNAPSHOT_NATIVE_LIBRARY, "NATIVE_LIBRARY"},
    {SNAPSHOT_UNSUPPORTED, "UNSUPPORTED"},
    {SNAPSHOT_SYSTEM_CALL, "SYSTEM_CALL"},
    {SNAPSHOT_ADDRESS_TAKEN, "ADDRESS_TAKEN"},
    {SNAPSHOT_ARENA_FULL, "ARENA_FULL"},
    {SNAPSHOT_NAME_TAKEN, "NAME_TAKEN"},
    {SNAPSHOT_LAYOUT_MISMATCH, "LAYOUT_MISMATCH"},
    {SNAPSHOT_BUSY, "BUSY"},
    {SNAPSHOT_ABORTED, "ABORTED"},
    {SNAPSHOT_TIMED_OUT, "TIMED_OUT"},
    {SNAPSHOT_HANDLER_FAILED, "HANDLER_FAILED"},
    {SNAPSHOT_SELF_DEADLOCK, "SELF_DEADLOCK"},
    {SNAPSHOT_STAGING_FULL, "STAGING_FULL"},
    {SNAPSHOT_NOT_FOUND, "NOT_FOUND"},
    {SNAPSHOT_STORE_NOT_EMPTY, "STORE_NOT_EMPTY"},
    {SNAPSHOT_STORE_BUSY, "STORE_BUSY"},
    {SNAPSHOT_STORE_IO, "STORE_IO"},
    {SNAPSHOT_CORRUPT, "CORRUPT"},
    {SNAPSHOT_UNSUPPORTED_FORMAT, "UNSUPPORTED_FORMAT"},
    {SNAPSHOT_CHAIN_BROKEN, "CHAIN_BROKEN"},
    {SNAPSHOT_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN"},
    {SNAPSHOT_RESTART_FAILED, "RESTART_FAILED"},
    {SNAPSHOT_FIBER_MISMATCH, "FIBER_MISMATCH"},
    {SNAPSHOT_FIBER_FAILED, "FIBER_FAILED"},
    {SNAPSHOT_NATIVE_MODULE, "NATIVE_MODULE"},
    {SNAPSHOT_UNTRUSTED, "UNTRUSTED"},
    {SNAPSHOT_LIMIT_REACHED, "LIMIT_REACHED"},
    {SNAPSHOT_UNCLAIMED, "UNCLAIMED"},
    {SNAPSHOT_GATE_TIMEOUT, "GATE_TIMEOUT"},
    {SNAPSHOT_INVALID_SETTING, "INVALID_SETTING"},
    {SNAPSHOT_MEMORY_GONE, "MEMORY_GONE"},
    {SNAPSHOT_MPI, "MPI"},
    {SNAPSHOT_RANK_FAILED, "RANK_FAILED"},
    {SNAPSHOT_OUT_OF_STEP, "OUT_OF_STEP"},
    {SNAPSHOT_OPEN_MESSAGE, "OPEN_MESSAGE"},
    {SNAPSHOT_INVALID_ARGUMENT, "INVALID_ARGUMENT"},
    {SNAPSHOT_MISUSE, "MISUSE"},
    {SNAPSHOT_CANCELLED, "CANCELLED"},
    {SNAPSHOT_FORKED, "FORKED"},
    {SNAPSHOT_OUT_OF_MEMORY, "OUT_OF_MEMORY"},
    {SNAPSHOT_INTERNAL, "INTERNAL"},
};

/* The greatest length up to `limit` at which no character of UTF-8 is cut. */
static size_t whole_characters(const char *text, size_t limit)
{
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0u) == 0x80u)
        limit--;
    return limit;
}

void sn_error_set(int32_t code, const char *text, int32_t bytes)
{
    static const char ELLIPSIS[] = "...";
    size_t length = (size_t)bytes;
    if (length < TEXT_BYTES) {
        memcpy(t_text, text, length);
        t_text[length] = 0;
    } else {
        length = whole_characters(text, TEXT_BYTES - sizeof ELLIPSIS);
        memcpy(t_text, text, length);
        memcpy(t_text + length, ELLIPSIS, sizeof ELLIPSIS);
    }
    t_code = code;
}

void sn_say(const char *text, int32_t bytes)
{
    fprintf(stderr, "snapshot: %.*s\n", (int)bytes, text);
}

SNAPSHOT_API const char *snapshot_error(void)
{
    return t_text;
}

SNAPSHOT_API int snapshot_error_code(void)
{
    return t_code;
}

SNAPSHOT_API const char *snapshot_code_name(int code)
{
    int positive = code < 0 && code >= -SNAPSHOT_INTERNAL ? -code : code;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (NAMES[i].code == positive)
            return NAMES[i].name;
    }
    return "?";
}

SNAPSHOT_API const char *snapshot_version(void)
{
    return SNAPSHOT_VERSION;
}
