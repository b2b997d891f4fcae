/*
 * settings.c: VELOC's configuration: lines KEY = VALUE, which variables of the environment overrule.
 */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is kept where all should be: a store lists no more than some thousands. */
#define KEEP_ALL 1000

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (isspace((unsigned char)*text))
        text++;
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = 0;
    return text;
}

/* VELOC_KEY of the environment, else the line of the file; 1, or 0: it is in neither. */
static int setting(const char *key, char *value, size_t room)
{
    char variable[64] = "VELOC_", line[2 * PATH_MAX];
    for (size_t i = 0; key[i] != 0 && i + 7 < sizeof variable; i++)
        variable[i + 6] = (char)toupper((unsigned char)key[i]);
    const char *given = getenv(variable);
    if (given != NULL && given[0] != 0)
        return snprintf(value, room, "%s", given) < (int)room;
    FILE *file = fopen(g_client.file, "r");
    int found = 0;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "#;")] = 0;
        char *equals = strpbrk(line, "=:");
        if (equals == NULL)
            continue;
        *equals = 0;
        if (strcmp(trim(line), key) == 0)
            found = snprintf(value, room, "%s", trim(equals + 1)) < (int)room && value[0] != 0;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static int setting_number(const char *key)
{
    char value[64];
    return setting(key, value, sizeof value) ? atoi(value) : 0;
}

/*
 * One more than was asked for, and three at least: ranks finish a version at different times. While one rank
 * writes version 2 another may have written 3, and both still have 1.
 */
static int versions_kept(const char *key)
{
    int asked = setting_number(key);
    if (asked <= 0 || asked >= KEEP_ALL)
        return KEEP_ALL;
    return asked < 2 ? 3 : asked + 1;
}

static int require_directory(const char *key, const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return VELOC_SUCCESS;
    return vs_fail("the directory %s, which %s of %s names, cannot be made: %s", path, key, g_client.file,
                   strerror(errno));
}

int vs_configure(const char *file)
{
    char mode[16];
    snprintf(g_client.file, sizeof g_client.file, "%s", file);
    if (access(file, R_OK) != 0)
        return vs_fail("the configuration %s cannot be read: %s", file, strerror(errno));
    if (!setting("mode", mode, sizeof mode) || (strcmp(mode, "sync") != 0 && strcmp(mode, "async") != 0))
        return vs_fail("%s lacks a line mode = sync or mode = async", file);
    g_client.is_sync = strcmp(mode, "sync") == 0;
    if (!setting("scratch", g_client.scratch, sizeof g_client.scratch))
        return vs_fail("%s lacks a line scratch = DIRECTORY", file);
    if (!setting("persistent", g_client.persistent, sizeof g_client.persistent))
        g_client.persistent[0] = 0;
    g_client.keep = versions_kept(g_client.persistent[0] != 0 ? "max_versions" : "scratch_versions");
    g_client.keep_in_scratch = versions_kept("scratch_versions");
    if (require_directory("scratch", g_client.scratch) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    return g_client.persistent[0] == 0 ? VELOC_SUCCESS : require_directory("persistent", g_client.persistent);
}
