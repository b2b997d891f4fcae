/*
 * veloc.c: the calls; see client.h.
 */
#include "client.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client g_client;

/* Between begin and end. */
static struct {
    struct label *label; /* NULL: not between them */
    int version;
    int is_restart;
    int is_routed;         /* the program writes a file */
    snapshot_store *store; /* of a restart; NULL: the version is a file alone */
    int64_t generation;
    int64_t *header; /* of the version */
} g_now;

int vs_fail(const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "VELOC (snapshot), rank %d: ", g_client.rank);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return VELOC_FAILURE;
}

/* The worst of all ranks: VELOC_FAILURE if one failed. */
int vs_everywhere(int result)
{
    int worst = result;
    if (g_client.comm != MPI_COMM_NULL)
        MPI_Allreduce(&result, &worst, 1, MPI_INT, MPI_MIN, g_client.comm);
    return worst;
}

int VELOC_Init(MPI_Comm comm, const char *cfg_file)
{
    if (g_client.is_open)
        return vs_fail("VELOC_Init was called before");
    if (MPI_Comm_dup(comm, &g_client.comm) != MPI_SUCCESS ||
        MPI_Comm_rank(g_client.comm, &g_client.rank) != MPI_SUCCESS)
        return vs_fail("the communicator cannot be used");
    g_client.is_open = 1;
    return vs_everywhere(vs_configure(cfg_file));
}

int VELOC_Init_single(unsigned int id, const char *cfg_file)
{
    if (g_client.is_open)
        return vs_fail("VELOC_Init was called before");
    g_client.comm = MPI_COMM_NULL;
    g_client.rank = (int)id;
    g_client.is_open = 1;
    return vs_configure(cfg_file);
}

int VELOC_Finalize(int drain)
{
    int result = drain ? VELOC_Checkpoint_wait() : VELOC_SUCCESS;
    if (!g_client.is_open)
        return vs_fail("VELOC_Finalize before VELOC_Init");
    while (g_labels != NULL) {
        struct label *label = g_labels;
        g_labels = label->next;
        if (snapshot_close(label->session) != 0)
            result = vs_fail("%s", snapshot_error());
        while (label->regions != NULL)
            vs_take_out(&label->regions);
        while (label->captured != NULL)
            vs_take_out(&label->captured);
        free(label->header);
        free(label);
    }
    if (g_client.comm != MPI_COMM_NULL)
        MPI_Comm_free(&g_client.comm);
    memset(&g_client, 0, sizeof g_client);
    memset(&g_now, 0, sizeof g_now);
    return result;
}

/* ---- begin and end ------------------------------------------------------------------------------------- */

static int begin(const char *name, int version, int is_restart)
{
    int is_named = name[0] != 0 && strlen(name) < 200;
    for (const char *c = name; *c != 0; c++)
        is_named = is_named && (isalnum((unsigned char)*c) || *c == '_' || *c == '.');
    if (!g_client.is_open)
        return vs_fail("a checkpoint or restart before VELOC_Init");
    if (g_now.label != NULL)
        return vs_fail("version %d of '%s' has not ended", g_now.version, g_now.label->name);
    if (!is_named || version < 0)
        return vs_fail("'%s' version %d: a name has letters, digits, _ and ., a version is not negative",
                       name, version);
    g_now.label = vs_label_of(name, 1);
    g_now.version = version;
    g_now.is_restart = is_restart;
    g_now.is_routed = 0;
    return g_now.label != NULL ? VELOC_SUCCESS : vs_fail("there is no memory for label '%s'", name);
}

static int end(void)
{
    snapshot_store_close(g_now.store);
    free(g_now.header);
    memset(&g_now, 0, sizeof g_now);
    return VELOC_SUCCESS;
}

/* ---- checkpoints --------------------------------------------------------------------------------------- */

/* Waits for the last checkpoint of a label. */
static int settle(struct label *label)
{
    snapshot_ticket *ticket = label->ticket;
    label->ticket = NULL;
    if (ticket == NULL || snapshot_wait(ticket, NULL) == 0)
        return VELOC_SUCCESS;
    return vs_fail("checkpoint '%s': %s", label->name, snapshot_error());
}

int VELOC_Checkpoint_wait(void)
{
    int result = VELOC_SUCCESS;
    if (g_now.label != NULL)
        return vs_fail("VELOC_Checkpoint_wait before VELOC_Checkpoint_end");
    for (struct label *label = g_labels; label != NULL; label = label->next) {
        if (settle(label) != VELOC_SUCCESS)
            result = VELOC_FAILURE;
    }
    return g_client.is_open ? result : VELOC_FAILURE;
}

int VELOC_Checkpoint_finished(void)
{
    int done = 1;
    for (struct label *label = g_labels; label != NULL; label = label->next)
        done = done && (label->ticket == NULL || snapshot_is_done(label->ticket) != 0);
    return g_client.is_open && g_now.label == NULL ? done : VELOC_FAILURE;
}

int VELOC_Checkpoint_begin(const char *name, int version)
{
    return begin(name, version, 0);
}

/* Protects what is registered and not protected yet. */
static int protect(struct label *label, const struct region *regions)
{
    char name[16];
    for (; regions != NULL; regions = regions->next) {
        if (*vs_find(&label->captured, regions->id) != NULL || regions->bytes == 0)
            continue;
        snprintf(name, sizeof name, "%d", regions->id);
        if (snapshot_protect(label->session, name, regions->memory, (int64_t)regions->bytes, 0) != 0)
            return vs_fail("region %d: %s", regions->id, snapshot_error());
        if (vs_add(&label->captured, regions->id, regions->memory, regions->bytes) != VELOC_SUCCESS)
            return VELOC_FAILURE;
    }
    return VELOC_SUCCESS;
}

/* Protects the buffer that says which regions belong to the version, with room for all of them. */
static int protect_header(struct label *label, int64_t count)
{
    if (count <= label->header_room)
        return VELOC_SUCCESS;
    int64_t room = 2 * count, *header = calloc((size_t)(1 + 2 * room), sizeof *header);
    if (header == NULL)
        return vs_fail("there is no memory for a list of %lld regions", (long long)count);
    if (label->header != NULL)
        snapshot_unprotect(label->session, VS_HEADER);
    free(label->header);
    label->header = header;
    label->header_room = room;
    if (snapshot_protect(label->session, VS_HEADER, header, (1 + 2 * room) * 8, 0) == 0)
        return VELOC_SUCCESS;
    label->header_room = 0;
    return vs_fail("%s", snapshot_error());
}

int VELOC_Checkpoint_selective(int mode, int *ids, int id_count)
{
    struct label *label = g_now.label;
    if (label == NULL || g_now.is_restart)
        return vs_fail("VELOC_Checkpoint_mem without VELOC_Checkpoint_begin");
    struct region *regions = vs_regions_of(label);
    int64_t all = 0, chosen = 0;
    for (struct region *region = regions; region != NULL; region = region->next)
        all++;
    if (settle(label) != VELOC_SUCCESS || vs_open_session(label) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    if (protect(label, regions) != VELOC_SUCCESS || protect_header(label, all) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    for (struct region *region = regions; region != NULL; region = region->next) {
        if (!vs_is_chosen(region->id, mode, ids, id_count))
            continue;
        label->header[1 + 2 * chosen] = region->id;
        label->header[2 + 2 * chosen] = (int64_t)region->bytes;
        chosen++;
    }
    if (chosen == 0)
        return vs_fail("version %d of '%s' has no region", g_now.version, label->name);
    label->header[0] = chosen;
    char tag[16];
    snapshot_request request = SNAPSHOT_REQUEST;
    snprintf(tag, sizeof tag, "%d", g_now.version);
    request.tag = tag;
    if (snapshot_checkpoint(label->session, &request, &label->ticket) == 0)
        return VELOC_SUCCESS;
    return vs_fail("version %d of '%s': %s", g_now.version, label->name, snapshot_error());
}

int VELOC_Checkpoint_mem(void)
{
    return VELOC_Checkpoint_selective(VELOC_CKPT_ALL, NULL, 0);
}

int VELOC_Checkpoint_end(int success)
{
    struct label *label = g_now.label;
    int result = VELOC_SUCCESS;
    if (label == NULL || g_now.is_restart)
        return vs_fail("VELOC_Checkpoint_end without VELOC_Checkpoint_begin");
    if (success && g_now.is_routed)
        result = vs_commit_file(label->name, g_now.version);
    else if (g_now.is_routed)
        vs_drop_file(label->name, g_now.version);
    if (!success && label->ticket != NULL)
        snapshot_cancel(label->ticket);
    end();
    if (g_client.is_sync && success && settle(label) != VELOC_SUCCESS)
        result = VELOC_FAILURE;
    return result;
}

int VELOC_Checkpoint(const char *name, int version)
{
    if (VELOC_Checkpoint_wait() != VELOC_SUCCESS || VELOC_Checkpoint_begin(name, version) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    int result = VELOC_Checkpoint_mem();
    return VELOC_Checkpoint_end(result == VELOC_SUCCESS) == VELOC_SUCCESS ? result : VELOC_FAILURE;
}

/* ---- restarts ------------------------------------------------------------------------------------------ */

/* The newest that every rank has: the least of their newest ones, if all have it, else one below it. */
int VELOC_Restart_test(const char *name, int version)
{
    int bound = version == 0 ? INT_MAX : version;
    if (begin(name, version, 1) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    end();
    while (1) {
        int newest = vs_newest_version(name, bound);
        int least = vs_everywhere(newest);
        if (least < 0)
            return VELOC_FAILURE;
        int mine = newest == least || vs_newest_version(name, least) == least;
        if (vs_everywhere(mine ? VELOC_SUCCESS : VELOC_FAILURE) == VELOC_SUCCESS)
            return least;
        bound = least - 1;
    }
}

/* Reads which regions the version has; VELOC_FAILURE: none, as it is a file alone. */
static int read_header(void)
{
    char path[2 * PATH_MAX];
    vs_store_path(g_now.label->name, path);
    if (access(path, F_OK) != 0)
        return VELOC_FAILURE;
    if (snapshot_store_open(path, &g_now.store) != 0)
        return vs_fail("%s", snapshot_error());
    g_now.generation = vs_generation_of(g_now.store, g_now.version);
    int64_t bytes = 0;
    if (g_now.generation != 0)
        bytes = snapshot_store_size(g_now.store, g_now.generation, VS_HEADER);
    if (bytes < 8 || (g_now.header = malloc((size_t)bytes)) == NULL)
        return VELOC_FAILURE;
    if (snapshot_store_read(g_now.store, g_now.generation, VS_HEADER, 0, g_now.header, bytes) != 0)
        return vs_fail("%s", snapshot_error());
    return g_now.header[0] >= 0 && g_now.header[0] <= (bytes - 8) / 16
               ? VELOC_SUCCESS
               : vs_fail("%s: generation %lld is no version of this library", path,
                         (long long)g_now.generation);
}

int VELOC_Restart_begin(const char *name, int version)
{
    if (begin(name, version, 1) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    int result = settle(g_now.label);
    int in_memory = result == VELOC_SUCCESS ? read_header() : VELOC_FAILURE;
    int in_file = vs_fetch_file(name, version);
    if (in_memory != VELOC_SUCCESS && in_file != VELOC_SUCCESS)
        result = vs_fail("'%s' has no version %d", name, version);
    result = vs_everywhere(result);
    if (result != VELOC_SUCCESS)
        end();
    return result;
}

int VELOC_Recover_selective(int mode, int *ids, int id_count)
{
    if (g_now.label == NULL || !g_now.is_restart || g_now.header == NULL)
        return vs_fail("VELOC_Recover_mem without VELOC_Restart_begin, or of a version without regions");
    struct region *regions = vs_regions_of(g_now.label);
    for (int64_t i = 0; i < g_now.header[0]; i++) {
        int id = (int)g_now.header[1 + 2 * i];
        int64_t bytes = g_now.header[2 + 2 * i];
        char name[16];
        if (!vs_is_chosen(id, mode, ids, id_count))
            continue;
        struct region *region = *vs_find(&regions, id);
        if (region == NULL)
            return vs_fail("no memory is protected for region %d", id);
        if ((int64_t)region->bytes < bytes)
            return vs_fail("region %d has %zu bytes, and %lld in version %d", id, region->bytes,
                           (long long)bytes, g_now.version);
        snprintf(name, sizeof name, "%d", id);
        if (bytes > 0 &&
            snapshot_store_read(g_now.store, g_now.generation, name, 0, region->memory, bytes) != 0)
            return vs_fail("region %d: %s", id, snapshot_error());
    }
    return VELOC_SUCCESS;
}

int VELOC_Recover_mem(void)
{
    return VELOC_Recover_selective(VELOC_RECOVER_ALL, NULL, 0);
}

/* 0: there is none, as VELOC has it. */
int VELOC_Recover_size(int id)
{
    if (g_now.label == NULL || !g_now.is_restart)
        return vs_fail("VELOC_Recover_size without VELOC_Restart_begin");
    for (int64_t i = 0; g_now.header != NULL && i < g_now.header[0]; i++) {
        if (g_now.header[1 + 2 * i] == id)
            return (int)g_now.header[2 + 2 * i];
    }
    return 0;
}

int VELOC_Restart_end(int success)
{
    if (g_now.label == NULL || !g_now.is_restart)
        return vs_fail("VELOC_Restart_end without VELOC_Restart_begin");
    end();
    return success ? VELOC_SUCCESS : VELOC_FAILURE;
}

int VELOC_Restart(const char *name, int version)
{
    if (VELOC_Restart_begin(name, version) != VELOC_SUCCESS)
        return VELOC_FAILURE;
    int result = VELOC_Recover_mem();
    VELOC_Restart_end(1);
    return result;
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* The name of the original does not matter: a rank has one file of a version, as in VELOC. */
int VELOC_Route_file(const char *original, char *routed)
{
    char path[2 * PATH_MAX];
    (void)original;
    if (g_now.label == NULL)
        return vs_fail("VELOC_Route_file outside of a checkpoint or restart");
    vs_file_path(g_client.scratch, g_now.label->name, g_now.version, path);
    if (strlen(path) + sizeof ".new" > VELOC_MAX_NAME)
        return vs_fail("%s is too long", path);
    snprintf(routed, VELOC_MAX_NAME, "%.*s%s", VELOC_MAX_NAME - 5, path, g_now.is_restart ? "" : ".new");
    g_now.is_routed = 1;
    return VELOC_SUCCESS;
}

int VELOC_Cleanup(const char *name)
{
    char path[2 * PATH_MAX];
    struct label *label = g_client.is_open ? vs_label_of(name, 1) : NULL;
    if (label == NULL || g_now.label == label)
        return vs_fail("VELOC_Cleanup before VELOC_Init, or within a checkpoint of '%s'", name);
    vs_remove_files(g_client.scratch, name);
    if (g_client.persistent[0] != 0)
        return VELOC_SUCCESS; /* What is there stays, as in VELOC. */
    settle(label);
    snapshot_close(label->session);
    label->session = NULL;
    label->header_room = 0;
    while (label->captured != NULL)
        vs_take_out(&label->captured);
    vs_store_path(name, path);
    return vs_remove_directory(path);
}
