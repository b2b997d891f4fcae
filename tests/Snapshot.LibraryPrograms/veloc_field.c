/*
 * veloc_field.c: a field that ranks compute together, with VELOC's calls: in memory, or in a file of its own.
 * Usage: veloc_field CONFIGURATION memory|file STEPS RESULT; each rank writes its part to RESULT.RANK.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <veloc.h>

enum { CELLS = 100000, EVERY = 5 };

static double s_old[CELLS + 2], s_new[CELLS + 2];
static int s_step;

static void require(int result, const char *what)
{
    if (result == VELOC_SUCCESS)
        return;
    fprintf(stderr, "%s failed\n", what);
    MPI_Abort(MPI_COMM_WORLD, 3);
}

static void exchange(int rank, int ranks)
{
    int left = rank > 0 ? rank - 1 : MPI_PROC_NULL, right = rank + 1 < ranks ? rank + 1 : MPI_PROC_NULL;
    MPI_Sendrecv(&s_old[1], 1, MPI_DOUBLE, left, 0, &s_old[CELLS + 1], 1, MPI_DOUBLE, right, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(&s_old[CELLS], 1, MPI_DOUBLE, right, 1, &s_old[0], 1, MPI_DOUBLE, left, 1, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
}

static void sweep(void)
{
    for (int i = 1; i <= CELLS; i++)
        s_new[i] = 0.5 * s_old[i] + 0.25 * (s_old[i - 1] + s_old[i + 1]) + 1e-3 * (i % 7);
    memcpy(&s_old[1], &s_new[1], CELLS * sizeof(double));
}

static void move_file(int is_write)
{
    char path[VELOC_MAX_NAME];
    require(VELOC_Route_file("field.dat", path), "VELOC_Route_file");
    FILE *file = fopen(path, is_write ? "wb" : "rb");
    if (file == NULL)
        require(VELOC_FAILURE, path);
    size_t done = is_write ? fwrite(&s_step, sizeof s_step, 1, file) + fwrite(s_old, sizeof s_old, 1, file)
                           : fread(&s_step, sizeof s_step, 1, file) + fread(s_old, sizeof s_old, 1, file);
    if (fclose(file) != 0 || done != 2)
        require(VELOC_FAILURE, path);
}

static void restart(int in_file)
{
    int version = VELOC_Restart_test("field", 0);
    if (version == VELOC_FAILURE)
        return;
    if (in_file) {
        require(VELOC_Restart_begin("field", version), "VELOC_Restart_begin");
        move_file(0);
        require(VELOC_Restart_end(1), "VELOC_Restart_end");
    } else {
        require(VELOC_Restart("field", version), "VELOC_Restart");
    }
    if (s_step != version)
        require(VELOC_FAILURE, "a version that is not its step");
}

static void checkpoint(int in_file)
{
    if (!in_file) {
        require(VELOC_Checkpoint("field", s_step), "VELOC_Checkpoint");
        return;
    }
    require(VELOC_Checkpoint_wait(), "VELOC_Checkpoint_wait");
    require(VELOC_Checkpoint_begin("field", s_step), "VELOC_Checkpoint_begin");
    move_file(1);
    require(VELOC_Checkpoint_end(1), "VELOC_Checkpoint_end");
}

int main(int count, char **arguments)
{
    int rank, ranks, begun;
    char path[VELOC_MAX_NAME];
    MPI_Init(&count, &arguments);
    if (count < 5)
        MPI_Abort(MPI_COMM_WORLD, 2);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int in_file = strcmp(arguments[2], "file") == 0, steps = atoi(arguments[3]);
    require(VELOC_Init(MPI_COMM_WORLD, arguments[1]), "VELOC_Init");
    for (int i = 0; i < CELLS + 2; i++)
        s_old[i] = rank + 1e-6 * i;
    if (!in_file) {
        require(VELOC_Mem_protect(0, &s_step, 1, sizeof s_step), "VELOC_Mem_protect");
        require(VELOC_Mem_protect(1, s_old, CELLS + 2, sizeof(double)), "VELOC_Mem_protect");
    }
    restart(in_file);
    begun = s_step;
    while (s_step < steps) {
        exchange(rank, ranks);
        sweep();
        if (++s_step % EVERY == 0)
            checkpoint(in_file);
    }
    snprintf(path, sizeof path, "%s.%d", arguments[4], rank);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(s_old, sizeof s_old, 1, file) != 1 || fclose(file) != 0)
        require(VELOC_FAILURE, path);
    require(VELOC_Finalize(1), "VELOC_Finalize");
    MPI_Finalize();
    if (rank == 0)
        printf("from %d\n", begun);
    return 0;
}
