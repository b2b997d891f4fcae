/*
 * stdio.c: a program whose output is the same by libc and by the stdio of programs. `stdio FOLDER WHAT`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char s_path[512];

static const char *in(const char *folder, const char *name)
{
    snprintf(s_path, sizeof s_path, "%s/%s", folder, name);
    return s_path;
}

static void show(const char *path)
{
    FILE *file = fopen(path, "r");
    int character;
    printf("[");
    while (file != NULL && (character = getc(file)) != EOF)
        putchar(character == '\n' ? '|' : character);
    printf("] eof %d\n", file != NULL && feof(file) != 0);
    if (file != NULL)
        fclose(file);
}

static void modes(const char *folder)
{
    const char *path = in(folder, "modes");
    FILE *file = fopen(path, "w");
    printf("puts %d puts %d", fputs("alpha\nbeta\n", file) >= 0, fputc('x', file));
    printf(" at %ld", ftell(file));
    printf(" close %d\n", fclose(file));
    file = fopen(path, "a");
    fprintf(file, "more %5.2f %s", 3.14159, "text");
    printf("at %ld\n", ftell(file));
    fclose(file);
    show(path);
    file = fopen(path, "r+");
    fseek(file, 6, SEEK_SET);
    fwrite("BETA", 1, 4, file);
    fseek(file, -4, SEEK_END);
    char text[8] = "";
    printf("read %zu %s\n", fread(text, 1, 7, file), text);
    fclose(file);
    show(path);
    file = fopen(path, "a+");
    printf("first %c\n", getc(file));
    fputs("END", file);
    rewind(file);
    printf("first %c\n", getc(file));
    fclose(file);
    show(path);
    file = fopen(path, "w+");
    setvbuf(file, NULL, _IOLBF, 100);
    for (int i = 0; i < 40; i++)
        fprintf(file, "%d%c", i, i % 10 == 9 ? '\n' : ' ');
    fseeko(file, 10, SEEK_SET);
    fputs("<>", file);
    fflush(file);
    fclose(file);
    show(path);
    file = fopen(path, "r");
    errno = 0;
    printf("write to a reader %d %s %d\n", fputc('x', file), strerror(errno), ferror(file) != 0);
    fclose(file);
    printf("absent %d %s\n", fopen(in(folder, "no/such"), "r") == NULL, strerror(errno));
    printf("bad mode %d %s\n", fopen(path, "q") == NULL, strerror(errno));
}

static void scans(const char *folder)
{
    FILE *file = fopen(in(folder, "scans"), "w+");
    fputs("12 0x1f -7 077 1.5e3 inf .25 word [abc] x=5,y=6 99%\n9999999999 3.5.7 -x 12abc\n", file);
    rewind(file);
    int a = 0, b = 0, c = 0, d = 0, place = 0;
    double e = 0, f = 0;
    float g = 0;
    char word[20] = "", set[20] = "", two[3] = "";
    printf("%d", fscanf(file, "%d %i %d %i %lf %lf %f %s %n", &a, &b, &c, &d, &e, &f, &g, word, &place));
    printf(" %d %d %d %d %g %g %g %s %d\n", a, b, c, d, e, f, (double)g, word, place);
    printf("%d", fscanf(file, "[%[^]]] x=%1d,y=%*d %d%%", set, &a, &b));
    printf(" %s %d %d\n", set, a, b);
    long long big = 0;
    short tiny = 0;
    printf("%d", fscanf(file, "%lld %lf%c%hd", &big, &e, two, &tiny));
    printf(" %lld %g %c %hd\n", big, e, two[0], tiny);
    printf("%d", fscanf(file, " -%2c %2d%s", two, &a, word));
    printf(" %.2s\n", two);
    printf("%d", fscanf(file, "%d%s", &a, word));
    printf(" %d %s\n", a, word);
    printf("%d %d\n", fscanf(file, "%d", &a), feof(file) != 0);
    printf("%d %d %d\n", sscanf("4 five", "%d %d", &a, &b), a, sscanf("", "%d", &a));
    ungetc('!', file);
    printf("%c\n", getc(file));
    fclose(file);
}

static void lines(const char *folder)
{
    FILE *file = fopen(in(folder, "lines"), "w+");
    for (int i = 0; i < 3000; i++)
        fprintf(file, "%0*d\n", 1 + i % 70, i);
    fpos_t middle;
    rewind(file);
    char part[10], *line = NULL, *made = NULL;
    size_t room = 0, bytes = 0;
    printf("%s", fgets(part, sizeof part, file));
    fgetpos(file, &middle);
    while (getline(&line, &room, file) > 0)
        bytes += strlen(line) * (unsigned char)line[strlen(line) - 2];
    printf("%zu\n", bytes);
    fsetpos(file, &middle);
    printf("%s", fgets(part, sizeof part, file));
    printf("%d", asprintf(&made, "%s-%d", "made", 7));
    printf(" %s\n", made);
    free(line);
    free(made);
    fclose(file);
    printf("remove %d then %d %s\n", remove(in(folder, "lines")), remove(in(folder, "lines")),
           strerror(errno));
}

static void kept(void)
{
    char text[] = "a,b,,c";
    time_t when = 86400 * 365;
    printf("%d %d", rand(), rand());
    srand(42);
    printf(" %d %ld %.6f %ld\n", rand(), random(), drand48(), lrand48());
    for (char *at = strtok(text, ","); at != NULL; at = strtok(NULL, ","))
        printf("%s;", at);
    printf(" %s", asctime(gmtime(&when)));
    printf("%s %d\n", getenv("STDIO_TEST"), getenv("STDIO_NONE") == NULL);
}

static void full(void)
{
    FILE *file = fopen("/dev/full", "w");
    printf("%d", fprintf(file, "into nothing\n"));
    errno = 0;
    int flushed = fflush(file);
    printf(" %d %s %d\n", flushed, strerror(errno), ferror(file) != 0);
    errno = 0;
    int closed = fclose(file);
    printf("%d %s\n", closed, strerror(errno));
    setvbuf(stderr, NULL, _IONBF, 0);
    errno = ENOSPC;
    perror("what perror says");
}

static void first(void)
{
    printf("first registered\n");
}

static void last(void)
{
    printf("last registered\n");
}

/* Out of a call back, with frames between. */
static int leave(const void *one, const void *other)
{
    (void)one;
    (void)other;
    exit(300);
}

int main(int argc, char **argv)
{
    atexit(first);
    atexit(last);
    if (argc == 3 && strcmp(argv[2], "abort") == 0)
        abort();
    if (argc == 3 && strcmp(argv[2], "quietly") == 0) {
        printf("never seen");
        _exit(7);
    }
    modes(argv[1]);
    scans(argv[1]);
    lines(argv[1]);
    kept();
    full();
    for (int i = 2; i <= argc; i++)
        printf("%d <%s>\n", i, argv[i] == NULL ? "none" : argv[i]);
    qsort(argv, 2, sizeof *argv, leave);
    return 1;
}
