/*
 * sort.c: the functions of libc that call back into the module. Part of the shim. With libc's a frame of libc
 * would be in the middle of the stack while the module's own code runs: the thread could not be captured
 * until the sorting ends, and an exception might meet a return address that the capture had replaced.
 *
 * qsort: quicksort by the median of three, insertion sort for what is short, heapsort for what quicksort does
 * not divide well. In place; not stable, as the standard allows. One order for one input: results are the
 * same in every process.
 */
#include <search.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define SHORT_COUNT 12u

typedef int (*comparison)(const void *, const void *, void *);

struct order {
    size_t bytes;
    comparison compare;
    void *argument;
};

static void swap(char *one, char *other, size_t bytes)
{
    char kept[64];
    while (bytes > 0) {
        size_t part = bytes < sizeof kept ? bytes : sizeof kept;
        memcpy(kept, one, part);
        memmove(one, other, part);
        memcpy(other, kept, part);
        one += part;
        other += part;
        bytes -= part;
    }
}

static int is_less(const struct order *order, const char *one, const char *other)
{
    return order->compare(one, other, order->argument) < 0;
}

static void insertion_sort(const struct order *order, char *first, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (char *at = first + i * order->bytes; at > first; at -= order->bytes) {
            if (!is_less(order, at, at - order->bytes))
                break;
            swap(at, at - order->bytes, order->bytes);
        }
    }
}

static void sift(const struct order *order, char *first, size_t at, size_t count)
{
    for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        char *largest = first + child * order->bytes;
        if (child + 1 < count && is_less(order, largest, largest + order->bytes)) {
            largest += order->bytes;
            child++;
        }
        if (!is_less(order, first + at * order->bytes, largest))
            return;
        swap(first + at * order->bytes, largest, order->bytes);
    }
}

static void heap_sort(const struct order *order, char *first, size_t count)
{
    for (size_t at = count / 2; at > 0; at--)
        sift(order, first, at - 1, count);
    for (size_t end = count - 1; end > 0; end--) {
        swap(first, first + end * order->bytes, order->bytes);
        sift(order, first, 0, end);
    }
}

/*
 * Puts the median of the first, the middle and the last element first; divides by it; returns where it is
 * then.
 */
static size_t divide(const struct order *order, char *first, size_t count)
{
    size_t bytes = order->bytes;
    char *middle = first + count / 2 * bytes, *last = first + (count - 1) * bytes;
    if (is_less(order, middle, first))
        swap(middle, first, bytes);
    if (is_less(order, last, middle)) {
        swap(last, middle, bytes);
        if (is_less(order, middle, first))
            swap(middle, first, bytes);
    }
    swap(first, middle, bytes);
    size_t low = 0, high = count;
    for (;;) {
        do
            low++;
        while (low < count && is_less(order, first + low * bytes, first));
        do
            high--;
        while (high > 0 && is_less(order, first, first + high * bytes));
        if (low >= high)
            break;
        swap(first + low * bytes, first + high * bytes, bytes);
    }
    swap(first, first + high * bytes, bytes);
    return high;
}

static void sort(const struct order *order, char *first, size_t count, uint32_t depth)
{
    while (count > SHORT_COUNT) {
        if (depth-- == 0) {
            heap_sort(order, first, count);
            return;
        }
        size_t at = divide(order, first, count), behind = count - at - 1;
        char *second = first + (at + 1) * order->bytes;
        /* The shorter part by a call, so that the stack does not grow beyond the logarithm. */
        if (at < behind) {
            sort(order, first, at, depth);
            first = second;
            count = behind;
        } else {
            sort(order, second, behind, depth);
            count = at;
        }
    }
    insertion_sort(order, first, count);
}

HIDDEN void qsort_r(void *first, size_t count, size_t bytes, comparison compare, void *argument)
{
    const struct order order = {.bytes = bytes, .compare = compare, .argument = argument};
    if (count > 1 && bytes > 0)
        sort(&order, first, count, 2 * (64 - (uint32_t)__builtin_clzll(count)));
}

struct plain {
    int (*compare)(const void *, const void *);
};

static int compare_plainly(const void *one, const void *other, void *argument)
{
    return ((const struct plain *)argument)->compare(one, other);
}

HIDDEN void qsort(void *first, size_t count, size_t bytes, int (*compare)(const void *, const void *))
{
    struct plain plain = {compare};
    qsort_r(first, count, bytes, compare_plainly, &plain);
}

HIDDEN void *bsearch(const void *key, const void *first, size_t count, size_t bytes,
                     int (*compare)(const void *, const void *))
{
    const char *from = first;
    while (count > 0) {
        const char *middle = from + count / 2 * bytes;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)(uintptr_t)middle;
        if (order > 0) {
            from = middle + bytes;
            count--;
        }
        count /= 2;
    }
    return NULL;
}

HIDDEN void *lfind(const void *key, const void *first, size_t *count, size_t bytes,
                   int (*compare)(const void *, const void *))
{
    for (size_t i = 0; i < *count; i++) {
        const char *at = (const char *)first + i * bytes;
        if (compare(key, at) == 0)
            return (void *)(uintptr_t)at;
    }
    return NULL;
}

HIDDEN void *lsearch(const void *key, void *first, size_t *count, size_t bytes,
                     int (*compare)(const void *, const void *))
{
    void *found = lfind(key, first, count, bytes, compare);
    if (found == NULL)
        found = memcpy((char *)first + (*count)++ * bytes, key, bytes);
    return found;
}
