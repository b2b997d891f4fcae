/*
 * veloc_calls.c: VELOC's calls of one process, each with what it should give. Usage: veloc_calls
 * CONFIGURATION first|second. The first writes versions 1 to 4, the second is another process that reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <veloc.h>

enum { COUNT = 50000 };

static int s_failures;

static void expect(long wanted, long got, const char *what)
{
    if (wanted == got)
        return;
    printf("%s: %ld, not %ld\n", what, got, wanted);
    s_failures++;
}

#define EXPECT(wanted, call) expect((wanted), (call), #call)

static void write_file(int version)
{
    char path[VELOC_MAX_NAME];
    EXPECT(0, VELOC_Checkpoint_begin("files", version));
    EXPECT(0, VELOC_Route_file("out.txt", path));
    FILE *file = fopen(path, "w");
    fprintf(file, "version %d", version);
    fclose(file);
    EXPECT(0, VELOC_Checkpoint_end(1));
}

static void first(int *numbers)
{
    int ids[] = {1};
    static int others[COUNT];
    EXPECT(0, VELOC_Mem_protect(1, numbers, COUNT, sizeof(int)));
    EXPECT(0, VELOC_Mem_protect(2, others, COUNT, sizeof(int)));
    EXPECT(-1, VELOC_Mem_unprotect(3));
    EXPECT(-1, VELOC_Restart_test("run", 0));
    EXPECT(-1, VELOC_Checkpoint_mem());
    EXPECT(-1, VELOC_Checkpoint_begin("a/b", 1));
    EXPECT(-1, VELOC_Checkpoint_begin("run", -1));

    numbers[0] = 1;
    EXPECT(0, VELOC_Checkpoint("run", 1));
    numbers[0] = 2;
    EXPECT(0, VELOC_Checkpoint_wait());
    EXPECT(0, VELOC_Checkpoint_begin("run", 2));
    EXPECT(-1, VELOC_Checkpoint_begin("run", 3));
    EXPECT(0, VELOC_Checkpoint_selective(VELOC_CKPT_SOME, ids, 1));
    EXPECT(0, VELOC_Checkpoint_end(1));
    EXPECT(0, VELOC_Checkpoint_wait());
    EXPECT(1, VELOC_Checkpoint_finished());

    /* Of another length, elsewhere; and what was there is freed. */
    int *longer = calloc(2 * COUNT, sizeof(int));
    longer[0] = 3;
    longer[2 * COUNT - 1] = 33;
    EXPECT(0, VELOC_Mem_unprotect(2));
    EXPECT(0, VELOC_Mem_protect(1, longer, 2 * COUNT, sizeof(int)));
    EXPECT(0, VELOC_Checkpoint("run", 3));
    EXPECT(0, VELOC_Mem_unprotect(1));
    free(longer);

    /* A group of its own, under its label. */
    EXPECT(0, VELOC_Region_protect(7, numbers, COUNT, sizeof(int), "group"));
    numbers[1] = 77;
    EXPECT(0, VELOC_Checkpoint("group", 4));
    EXPECT(0, VELOC_Region_unprotect(7, "group"));

    write_file(1);
    write_file(2);
    EXPECT(0, VELOC_Checkpoint_begin("files", 3));
    char path[VELOC_MAX_NAME];
    EXPECT(0, VELOC_Route_file("out.txt", path));
    fclose(fopen(path, "w"));
    EXPECT(0, VELOC_Checkpoint_end(0)); /* the program says that it failed */
}

static void second(int *numbers)
{
    int ids[] = {2};
    static int others[COUNT], longer[2 * COUNT];
    EXPECT(3, VELOC_Restart_test("run", 0));
    EXPECT(2, VELOC_Restart_test("run", 2));
    EXPECT(-1, VELOC_Restart_test("other", 0));
    EXPECT(-1, VELOC_Restart_begin("run", 9));

    EXPECT(0, VELOC_Mem_protect(1, numbers, COUNT, sizeof(int)));
    EXPECT(0, VELOC_Mem_protect(2, others, COUNT, sizeof(int)));
    EXPECT(0, VELOC_Restart("run", 1));
    EXPECT(1, numbers[0]);
    EXPECT(0, VELOC_Restart_begin("run", 2));
    EXPECT(COUNT * 4, VELOC_Recover_size(1));
    EXPECT(0, VELOC_Recover_size(2));
    EXPECT(0, VELOC_Recover_selective(VELOC_RECOVER_REST, ids, 1));
    EXPECT(2, numbers[0]);
    EXPECT(0, VELOC_Restart_end(1));
    EXPECT(-1, VELOC_Restart("run", 3)); /* region 1 has no room for it */
    EXPECT(0, VELOC_Mem_protect(1, longer, 2 * COUNT, sizeof(int)));
    EXPECT(0, VELOC_Restart("run", 3));
    EXPECT(3, longer[0]);
    EXPECT(33, longer[2 * COUNT - 1]);

    EXPECT(0, VELOC_Region_protect(7, numbers, COUNT, sizeof(int), "group"));
    EXPECT(0, VELOC_Restart("group", 4));
    EXPECT(77, numbers[1]);

    char path[VELOC_MAX_NAME], text[32] = "";
    EXPECT(2, VELOC_Restart_test("files", 0));
    EXPECT(0, VELOC_Restart_begin("files", 2));
    EXPECT(0, VELOC_Route_file("out.txt", path));
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL)
        expect(1, 0, path);
    EXPECT(0, strcmp(text, "version 2"));
    EXPECT(0, VELOC_Restart_end(1));

    /* A version may be written again; the newest counts. */
    longer[0] = 30;
    EXPECT(0, VELOC_Checkpoint("run", 3));
    longer[0] = 0;
    EXPECT(0, VELOC_Checkpoint_wait());
    EXPECT(0, VELOC_Restart("run", 3));
    EXPECT(30, longer[0]);
    EXPECT(0, VELOC_Cleanup("run"));
    EXPECT(getenv("VELOC_PERSISTENT") != NULL ? 3 : -1, VELOC_Restart_test("run", 0));
}

int main(int count, char **arguments)
{
    int *numbers = calloc(COUNT, sizeof(int));
    if (count < 3 || numbers == NULL)
        return 2;
    EXPECT(-1, VELOC_Finalize(1));
    EXPECT(-1, VELOC_Init_single(5, "/nowhere.cfg"));
    EXPECT(0, VELOC_Finalize(1));
    EXPECT(0, VELOC_Init_single(5, arguments[1]));
    if (strcmp(arguments[2], "first") == 0)
        first(numbers);
    else
        second(numbers);
    free(numbers);
    EXPECT(0, VELOC_Finalize(1));
    printf("%d failures\n", s_failures);
    return s_failures != 0;
}
