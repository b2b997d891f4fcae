/*
 * scan.c: scanf and its family. What is in memory is libc's matter; what is in a stream is read here, item by
 * item, and made a number by strtol and strtod.
 */
/* Functions of characters, and not libc's tables. */
#define __NO_CTYPE
#include "program.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_BYTES 512u

/* What stands between % and the letter. */
struct item {
    int32_t is_skipped;
    int32_t width; /* 0: none was given */
    char size;     /* h, H for hh, l, L also for ll, or 0 */
};

struct scan {
    struct snt_stream *stream;
    int64_t taken; /* characters */
};

static int32_t get(struct scan *scan)
{
    int32_t character = snt_stream_get(scan->stream);
    if (character != EOF)
        scan->taken++;
    return character;
}

static void unget(struct scan *scan, int32_t character)
{
    if (character == EOF)
        return;
    snt_stream_unget(scan->stream, character);
    scan->taken--;
}

/* The next that is no blank, which stays unread. */
static int32_t skip_blanks(struct scan *scan)
{
    int32_t character;
    do
        character = get(scan);
    while (character != EOF && isspace(character));
    unget(scan, character);
    return character;
}

static const char *parse(const char *format, struct item *item)
{
    *item = (struct item){0};
    if (*format == '*') {
        item->is_skipped = 1;
        format++;
    }
    while (isdigit((unsigned char)*format))
        item->width = item->width * 10 + (*format++ - '0');
    while (*format != 0 && strchr("hlLqjzt", *format) != NULL) {
        item->size = *format == 'h'                        ? (item->size == 'h' ? 'H' : 'h')
                     : *format == 'l' && item->size != 'l' ? 'l'
                                                           : 'L';
        format++;
    }
    return format;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* Whether text may be the beginning of a number. */
typedef int32_t may_begin(const char *text, size_t length, int32_t base);

static int32_t is_digit_of(int32_t character, int32_t base)
{
    int32_t digit = isdigit(character)   ? character - '0'
                    : isalpha(character) ? tolower(character) - 'a' + 10
                                         : 99;
    return digit < base;
}

static int32_t may_be_integer(const char *text, size_t length, int32_t base)
{
    size_t at = text[0] == '+' || text[0] == '-' ? 1 : 0;
    int32_t is_hex = base == 16 || base == 0;
    if (is_hex && at + 1 < length && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = at < length && text[at] == '0' ? 8 : 10;
    }
    for (; at < length; at++) {
        if (!is_digit_of((unsigned char)text[at], base))
            return 0;
    }
    return 1;
}

static int32_t is_begin_of(const char *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++) {
        if (tolower((unsigned char)text[i]) != word[i])
            return 0;
    }
    return length <= strlen(word);
}

static int32_t may_be_real(const char *text, size_t length, int32_t base)
{
    (void)base;
    size_t at = text[0] == '+' || text[0] == '-' ? 1 : 0;
    if (is_begin_of(text + at, length - at, "infinity") || is_begin_of(text + at, length - at, "nan"))
        return 1;
    int32_t is_hex = at + 1 < length && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X');
    at += is_hex ? 2 : 0;
    int32_t has_point = 0, has_digit = 0;
    char exponent = is_hex ? 'p' : 'e';
    for (; at < length && (is_digit_of((unsigned char)text[at], is_hex ? 16 : 10) || text[at] == '.'); at++) {
        if (text[at] == '.' && has_point++)
            return 0;
        has_digit |= text[at] != '.';
    }
    if (at == length)
        return 1;
    if (tolower((unsigned char)text[at++]) != exponent || !has_digit)
        return 0;
    if (at < length && (text[at] == '+' || text[at] == '-'))
        at++;
    for (; at < length; at++) {
        if (!isdigit((unsigned char)text[at]))
            return 0;
    }
    return 1;
}

/* The longest beginning of what comes that may begin a number. */
static size_t take_number(struct scan *scan, const struct item *item, may_begin *may, int32_t base,
                          char text[ITEM_BYTES])
{
    size_t length = 0, room = ITEM_BYTES - 1;
    if (item->width > 0 && (size_t)item->width < room)
        room = (size_t)item->width;
    while (length < room) {
        int32_t character = get(scan);
        if (character == EOF)
            break;
        text[length] = (char)character;
        if (!may(text, length + 1, base)) {
            unget(scan, character);
            break;
        }
        length++;
    }
    text[length] = 0;
    return length;
}

static void store_integer(const struct item *item, void *to, uint64_t value)
{
    if (item->size == 'H')
        *(uint8_t *)to = (uint8_t)value;
    else if (item->size == 'h')
        *(uint16_t *)to = (uint16_t)value;
    else if (item->size == 0)
        *(uint32_t *)to = (uint32_t)value;
    else
        *(uint64_t *)to = value;
}

static int32_t scan_integer(struct scan *scan, const struct item *item, char letter, void *to)
{
    char text[ITEM_BYTES], *end;
    int32_t base = letter == 'd' || letter == 'u' ? 10 : letter == 'i' ? 0 : letter == 'o' ? 8 : 16;
    take_number(scan, item, may_be_integer, base, text);
    uint64_t value =
        letter == 'd' || letter == 'i' ? (uint64_t)strtoll(text, &end, base) : strtoull(text, &end, base);
    if (end == text || *end != 0)
        return 0;
    if (!item->is_skipped)
        store_integer(letter == 'p' ? &(struct item){.size = 'l'} : item, to, value);
    return 1;
}

static int32_t scan_real(struct scan *scan, const struct item *item, void *to)
{
    char text[ITEM_BYTES], *end;
    take_number(scan, item, may_be_real, 10, text);
    long double longest = 0;
    double value = 0;
    float shorter = 0;
    if (item->size == 'L')
        longest = strtold(text, &end);
    else if (item->size == 'l')
        value = strtod(text, &end);
    else
        shorter = strtof(text, &end);
    if (end == text || *end != 0)
        return 0;
    if (item->is_skipped)
        return 1;
    if (item->size == 'L')
        *(long double *)to = longest;
    else if (item->size == 'l')
        *(double *)to = value;
    else
        *(float *)to = shorter;
    return 1;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* The characters of [ ], of which the first may be ], and ranges; returns what is behind it. */
static const char *parse_set(const char *format, unsigned char is_member[256])
{
    int32_t is_other = *format == '^';
    format += is_other;
    memset(is_member, is_other, 256);
    const char *first = format;
    while (*format != 0 && (*format != ']' || format == first)) {
        unsigned char from = (unsigned char)*format, to = from;
        if (format[1] == '-' && format[2] != ']' && format[2] != 0) {
            to = (unsigned char)format[2];
            format += 2;
        }
        for (uint32_t i = from; i <= to; i++)
            is_member[i] = (unsigned char)!is_other;
        format++;
    }
    return *format == ']' ? format + 1 : format;
}

/* -1: the stream ended before the first. */
static int32_t scan_text(struct scan *scan, const struct item *item, const unsigned char is_member[256],
                         int32_t ends_with_zero, char *to)
{
    int64_t width = item->width > 0 ? item->width : ends_with_zero ? INT64_MAX : 1, count = 0;
    int32_t character = 0;
    while (count < width && (character = get(scan)) != EOF) {
        if (!is_member[character]) {
            unget(scan, character);
            break;
        }
        if (!item->is_skipped)
            to[count] = (char)character;
        count++;
    }
    if (!item->is_skipped && ends_with_zero && count > 0)
        to[count] = 0;
    if (count == 0 && character == EOF)
        return -1;
    return ends_with_zero ? count > 0 : count == width;
}

static int32_t scan_word(struct scan *scan, const struct item *item, char letter,
                         const unsigned char set[256], void *to)
{
    unsigned char is_member[256];
    if (letter == '[')
        return scan_text(scan, item, set, 1, to);
    for (int32_t i = 0; i < 256; i++)
        is_member[i] = letter == 'c' || !isspace(i);
    return scan_text(scan, item, is_member, letter == 's', to);
}

/* 1, 0: what comes is something else, or -1: nothing comes. */
static int32_t scan_item(struct scan *scan, const struct item *item, char letter,
                         const unsigned char set[256], void *to)
{
    if (letter != 'c' && letter != '[' && skip_blanks(scan) == EOF)
        return -1;
    if (strchr("diouxXp", letter) != NULL)
        return scan_integer(scan, item, letter, to);
    if (strchr("aAeEfFgG", letter) != NULL)
        return scan_real(scan, item, to);
    return strchr("sc[", letter) != NULL ? scan_word(scan, item, letter, set, to) : 0;
}

/* Whether what comes is as the format has it, outside of items. */
static int32_t is_literal(struct scan *scan, char literal)
{
    int32_t character = get(scan);
    if (character == (unsigned char)literal)
        return 1;
    unget(scan, character);
    return character == EOF ? -1 : 0;
}

HIDDEN int snt_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments);

int snt_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
    struct scan scan = {snt_stream_of(stream), 0};
    int32_t stored = 0, result = 1;
    while (*format != 0 && result == 1) {
        char letter = *format++;
        if (isspace((unsigned char)letter)) {
            skip_blanks(&scan);
            continue;
        }
        if (letter != '%' || *format == '%') {
            if (letter == '%') {
                format++;
                skip_blanks(&scan);
            }
            result = is_literal(&scan, letter);
            continue;
        }
        struct item item;
        unsigned char set[256];
        format = parse(format, &item);
        letter = *format == 0 ? 0 : *format++;
        if (letter == 0)
            break;
        if (letter == '[')
            format = parse_set(format, set);
        void *to = item.is_skipped ? NULL : va_arg(arguments, void *);
        if (letter == 'n') {
            store_integer(&item, to, (uint64_t)scan.taken);
            continue;
        }
        result = scan_item(&scan, &item, letter, set, to);
        stored += result == 1 && !item.is_skipped;
    }
    return result < 0 && stored == 0 ? EOF : stored;
}

HIDDEN int snt_fscanf(FILE *restrict stream, const char *restrict format, ...);
HIDDEN int snt_scanf(const char *restrict format, ...);

int snt_fscanf(FILE *restrict stream, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = snt_vfscanf(stream, format, arguments);
    va_end(arguments);
    return result;
}

int snt_scanf(const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = snt_vfscanf(&snt_standard[0].head, format, arguments);
    va_end(arguments);
    return result;
}

/* libc's header renames the three, by the standard that a program is compiled for. */
#define NAMED(own, name) \
    __typeof__(own) own##_as_##name __asm__(#name) __attribute__((visibility("hidden"), alias(#own)))

NAMED(snt_vfscanf, vfscanf);
NAMED(snt_vfscanf, __isoc99_vfscanf);
NAMED(snt_vfscanf, __isoc23_vfscanf);
NAMED(snt_fscanf, fscanf);
NAMED(snt_fscanf, __isoc99_fscanf);
NAMED(snt_fscanf, __isoc23_fscanf);
NAMED(snt_scanf, scanf);
NAMED(snt_scanf, __isoc99_scanf);
NAMED(snt_scanf, __isoc23_scanf);
