/*
 * client.h: VELOC's client calls over snapshot.h. It is compiled by the user's mpicc, since each family of
 * MPI has handles of its own:
 *
 *     mpicc -O2 -shared -fPIC -o libveloc-client.so *.c -lsnapshot
 *
 * Each label (the name of a checkpoint) of each rank has a store, in `persistent`, or in `scratch` where that
 * is not set: LABEL-RANK.snapshot. A generation is a version: its tag. The buffer "veloc" in it says which
 * regions belong to the version, since a checkpoint may be of some only; a region is the buffer of its id's
 * name. Restarts read regions from images, and end no session: a program may restart as often as it likes.
 *
 * A file that the program writes itself is routed to LABEL-RANK-VERSION.dat.new in `scratch`. When the
 * checkpoint ends it is synced, copied to `persistent`, synced there, and only then renamed: whatever has the
 * last name is whole.
 *
 * A version can be restarted from only if every rank has it: Restart_test asks all of them.
 *
 * Not thread-safe, as VELOC is not.
 */
#ifndef SNAPSHOT_VELOC_CLIENT_H
#define SNAPSHOT_VELOC_CLIENT_H

#include "veloc.h"

#include <limits.h>
#include <snapshot.h>

/* The buffer that says which regions belong to a version: their number, then id and bytes of each. */
#define VS_HEADER "veloc"

struct region {
    int id;
    void *memory;
    size_t bytes;
    struct region *next;
};

/* The regions of a label, and the session that writes its versions; "" has the regions of all others. */
struct label {
    char name[VELOC_MAX_NAME];
    struct region *regions;
    snapshot_session *session; /* opened at its first checkpoint */
    snapshot_ticket *ticket;   /* of a checkpoint that was not waited for */
    struct region *captured;   /* what the session protects */
    int64_t *header;           /* what it protects as VS_HEADER */
    int64_t header_room;       /* regions that it has room for */
    struct label *next;
};

struct client {
    int is_open;
    MPI_Comm comm; /* MPI_COMM_NULL: single */
    int rank;
    int is_sync;
    int keep; /* versions, where they last */
    int keep_in_scratch;
    char scratch[PATH_MAX];
    char persistent[PATH_MAX]; /* "": none */
    char file[PATH_MAX];       /* the configuration */
};

extern struct client g_client;
extern struct label *g_labels;

/* Says what failed on the standard error stream; VELOC_FAILURE. */
__attribute__((format(printf, 1, 2))) int vs_fail(const char *format, ...);

/* settings.c: reads the configuration into g_client. */
int vs_configure(const char *file);

/* The worst of all ranks: VELOC_FAILURE if one failed. */
int vs_everywhere(int result);

/* regions.c. NULL: there is no such label, and none is made; or there is no memory. */
struct label *vs_label_of(const char *name, int make);
struct region **vs_find(struct region **list, int id);
int vs_add(struct region **list, int id, void *memory, size_t bytes);
void vs_take_out(struct region **at);
struct region *vs_regions_of(const struct label *label); /* those of the label, else those of all */
int vs_is_chosen(int id, int mode, const int *ids, int count);

/* versions.c: the store of a label on this rank, and the version that a generation is. */
void vs_store_path(const char *label, char path[2 * PATH_MAX]);
int vs_open_session(struct label *label);

/* The newest generation of a version, or 0. */
int64_t vs_generation_of(snapshot_store *store, int version);

/* The greatest version up to `bound` that this rank has, in the store or as a file; -1: none. */
int vs_newest_version(const char *label, int bound);

/* files.c: the last name of a routed file, in a directory. */
void vs_file_path(const char *directory, const char *label, int version, char path[2 * PATH_MAX]);

/* Makes what was written under NAME.new durable, in persistent too, and gives it its name. */
int vs_commit_file(const char *label, int version);

/* Removes NAME.new, which the program could not write. */
void vs_drop_file(const char *label, int version);

/* Brings a file back from persistent, where scratch has it not. */
int vs_fetch_file(const char *label, int version);

/* As vs_newest_version, of files alone. */
int vs_newest_file(const char *label, int bound);

/* Removes files of a label from a directory. */
void vs_remove_files(const char *directory, const char *label);

/* Removes a directory with the files in it. */
int vs_remove_directory(const char *path);

#endif
