/*
 * files.c: a program that uses stdio in every way that a restart could spoil, and knows of no checkpoints.
 * `files FOLDER STEPS`: its files are the same whenever it is killed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *s_folder;
static int s_steps;
static FILE *s_log;

static char *in(const char *name)
{
    static char s_path[4][512];
    static int s_at;
    char *path = s_path[s_at++ % 4];
    snprintf(path, sizeof s_path[0], "%s/%s", s_folder, name);
    return path;
}

static FILE *opened(const char *name, const char *mode)
{
    FILE *file = fopen(in(name), mode);
    if (file == NULL) {
        perror(name);
        exit(9);
    }
    return file;
}

static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(s_log, format, arguments);
    va_end(arguments);
}

static void at_end(void)
{
    printf("end after %d steps\n", s_steps);
}

/* Arithmetic deep in a recursion, in which most captures take place. */
static double work(int depth, double value)
{
    for (int i = 0; i < 2000; i++)
        value = value * 0.999 + 1.0 / (1 + i + depth);
    return depth == 0 ? value : work(depth - 1, value) + value * 1e-3;
}

/* Opened, written and closed in each step. */
static void append(int step, double value)
{
    FILE *file = opened("history", "a");
    fprintf(file, "%d %.17g\n", step, value);
    fclose(file);
}

/* What it was is read before it is written anew. */
static void count(void)
{
    long number = 0;
    FILE *file = fopen(in("counter"), "r");
    if (file != NULL) {
        if (fscanf(file, "count %ld", &number) != 1)
            exit(8);
        fclose(file);
    }
    file = opened("counter", "w");
    fprintf(file, "count %ld\n", number + 1);
    fclose(file);
}

/* Records in the middle of a file are added to. */
static void update(FILE *table, int step)
{
    long place = (step * 7 % 50) * 16;
    char record[17] = "";
    fseek(table, place, SEEK_SET);
    if (fread(record, 1, 16, table) != 16)
        exit(7);
    fseek(table, place, SEEK_SET);
    fprintf(table, "%15ld\n", atol(record) + step);
    fflush(table);
}

/* A result that is written beside the old one and then takes its name. */
static void replace(int step, double value)
{
    FILE *file = opened("result.new", "w");
    for (int i = 0; i < 200 + step; i++)
        fprintf(file, "%d %d %.9g\n", step, i, value * i);
    fclose(file);
    if (rename(in("result.new"), in("result")) != 0)
        exit(6);
}

int main(int argc, char **argv)
{
    double value = 1, sum = 0;
    int number;
    if (argc != 3)
        return 2;
    s_folder = argv[1];
    s_steps = atoi(argv[2]);
    atexit(at_end);
    s_log = opened("log", "w");
    FILE *both = opened("both", "w+"), *table = opened("table", "w+");
    for (int i = 0; i < 50; i++)
        fprintf(table, "%15d\n", 0);
    FILE *input = opened("input", "r");
    while (fscanf(input, " %d", &number) == 1)
        sum += number;
    rewind(input);
    for (int step = 0; step < s_steps; step++) {
        value = work(200, value + rand() % 7);
        note("step %d: %.17g %ld\n", step, value, ftell(s_log));
        if (step % 10 == 0)
            printf("step %d\n", step);
        if (fscanf(input, "%d", &number) != 1)
            rewind(input);
        fwrite(&value, sizeof value, 1, both);
        append(step, value + number);
        if (step % 50 == 3)
            count();
        if (step % 50 == 17)
            update(table, step);
        if (step % 100 == 61)
            replace(step, value);
    }
    rewind(both);
    while (fread(&value, sizeof value, 1, both) == 1)
        sum += value;
    note("sum %.17g\n", sum);
    fclose(table);
    fprintf(stderr, "errors go here\n");
    return 5;
}
