/* layout_test.c: the table of fields has every field: each begins where the one before it ends. */
#include "check.h"

#include <string.h>

#include "../layout.h"

void test_layout(void)
{
    const struct sn_layout *layouts = NULL;
    uint64_t count = 0, end = 0, bytes = 0, structs = 0;
    CHECK_EQUAL(sn_layouts(&layouts, &count), 0);
    for (uint64_t i = 0; i < count; i++) {
        const struct sn_layout *at = &layouts[i];
        if (at->field[0] == '\0') {
            CHECK_EQUAL(end, bytes);
            end = 0;
            bytes = at->bytes;
            structs++;
            continue;
        }
        CHECK(strcmp(at->structure, layouts[i - 1].structure) == 0);
        CHECK_EQUAL(at->offset, end);
        end = at->offset + at->bytes;
    }
    CHECK_EQUAL(end, bytes);
    CHECK_EQUAL(structs, 11);
}
