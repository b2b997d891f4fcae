/*
 * addressed.c: functions of libc of which the C++ library takes addresses (std::stoi and std::to_string pass
 * them on), and one whose result points into libc. Part of the shim. An address of libc's would be in
 * captured registers; these are in the module, at the same place in every process, and call libc's by other
 * names.
 *
 * No header of libc: newer ones rename some of these.
 */
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* C23's, of which newer headers make C++ call the first, also read 0b101; the older ones here do not. */
#define INTEGER(name, type, character) \
    type __##name##_internal(const character *text, character **end, int base, int group); \
    HIDDEN type name(const character *text, character **end, int base); \
    HIDDEN type name(const character *text, character **end, int base) \
    { \
        return __##name##_internal(text, end, base, 0); \
    } \
    HIDDEN type __isoc23_##name(const character *text, character **end, int base) \
        __attribute__((alias(#name)))

#define REAL(name, type, character) \
    type __##name##_internal(const character *text, character **end, int group); \
    HIDDEN type name(const character *text, character **end); \
    HIDDEN type name(const character *text, character **end) \
    { \
        return __##name##_internal(text, end, 0); \
    }

INTEGER(strtol, long, char);
INTEGER(strtoul, unsigned long, char);
INTEGER(strtoll, long long, char);
INTEGER(strtoull, unsigned long long, char);
REAL(strtof, float, char)
REAL(strtod, double, char)
REAL(strtold, long double, char)

int __vsnprintf_chk(char *text, size_t bytes, int flag, size_t room, const char *format,
                    __builtin_va_list arguments);
HIDDEN int vsnprintf(char *text, size_t bytes, const char *format, __builtin_va_list arguments);

int vsnprintf(char *text, size_t bytes, const char *format, __builtin_va_list arguments)
{
    return __vsnprintf_chk(text, bytes, 0, bytes, format, arguments);
}

int __xpg_strerror_r(int number, char *text, size_t bytes);
HIDDEN char *strerror(int number);

char *strerror(int number)
{
    static __thread char text[64] __attribute__((tls_model("initial-exec")));
    __xpg_strerror_r(number, text, sizeof text);
    text[sizeof text - 1] = 0;
    return text;
}
