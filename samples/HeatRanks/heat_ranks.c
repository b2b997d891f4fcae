/*
 * heat_ranks.c: heat in a plate whose rows are distributed over the ranks of an MPI job, which survives the
 * death of any of them. The demo beside it kills them: ./build.ps1 ranks --language c. By hand:
 *
 *     mpicc -O2 heat_ranks.c PREFIX/share/snapshot/mpi/snapshot_mpi.c PREFIX/share/snapshot/mpi/calls.c \
 *         -o heat_ranks -lsnapshot
 *     mpirun -np 4 ./heat_ranks --store /tmp/heat
 *
 * It computes the same plate as the program in C#, bit for bit.
 */
#include <snapshot_mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The rows that this rank computes, with a row of each neighbour above and below. */
struct plate {
    int rank, ranks;
    int64_t size;  /* rows of the whole plate, and columns */
    int64_t first; /* row of this rank */
    int64_t rows;
    double *fields; /* two, which take turns */
    int64_t *step;
};

struct options {
    int64_t size, steps, every_steps;
    int is_lazy;
    const char *store;
};

static void require(int is_right)
{
    if (is_right)
        return;
    fprintf(stderr, "heat-ranks: %s\n", snapshot_error());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static int read_options(int count, char **arguments, struct options *options)
{
    *options = (struct options){.size = 512, .steps = 10000, .every_steps = 400};
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        if (strcmp(name, "--size") == 0)
            options->size = atoll(value);
        else if (strcmp(name, "--steps") == 0)
            options->steps = atoll(value);
        else if (strcmp(name, "--every-steps") == 0)
            options->every_steps = atoll(value);
        else if (strcmp(name, "--fill") == 0)
            options->is_lazy = strcmp(value, "Lazy") == 0;
        else if (strcmp(name, "--store") == 0)
            options->store = value;
        else
            return 0;
    }
    return count % 2 == 1 && options->store != NULL && options->size >= 8;
}

static int64_t bound(const struct plate *plate, int rank)
{
    return plate->size * rank / plate->ranks;
}

static double *field(const struct plate *plate, int64_t step)
{
    return plate->fields + (step & 1) * (plate->rows + 2) * plate->size;
}

/* The left edge is hot, and half of the upper one; the edges stay as they are. */
static void heat(struct plate *plate)
{
    for (int turn = 0; turn < 2; turn++) {
        double *cells = field(plate, turn);
        for (int64_t row = 1; row <= plate->rows; row++)
            cells[row * plate->size] = 100;
        for (int64_t i = 0; plate->first == 0 && i < plate->size / 2; i++)
            cells[plate->size + i] = 50;
    }
}

/* Zeros at first, later as all ranks were captured. */
static void find(struct plate *plate, snapshot_job *job, int64_t size)
{
    snapshot_session *session = snapshot_job_session(job);
    MPI_Comm_rank(MPI_COMM_WORLD, &plate->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &plate->ranks);
    plate->size = size;
    plate->first = bound(plate, plate->rank);
    plate->rows = bound(plate, plate->rank + 1) - plate->first;
    plate->step = snapshot_array(session, "step", "i64", 1);
    require(plate->step != NULL);
    plate->fields = snapshot_array(session, "cells", "f64", 2 * (plate->rows + 2) * size);
    require(plate->fields != NULL);
    if (snapshot_job_generation(job) == 0)
        heat(plate);
}

/* Neighbours give each other their outermost rows. All that is sent here is received here. */
static void exchange(const struct plate *plate)
{
    double *cells = field(plate, *plate->step);
    int64_t size = plate->size, rows = plate->rows;
    int above = plate->rank > 0 ? plate->rank - 1 : MPI_PROC_NULL;
    int below = plate->rank + 1 < plate->ranks ? plate->rank + 1 : MPI_PROC_NULL;
    MPI_Sendrecv(cells + size, (int)size, MPI_DOUBLE, above, 0, cells + (rows + 1) * size, (int)size,
                 MPI_DOUBLE, below, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(cells + rows * size, (int)size, MPI_DOUBLE, below, 0, cells, (int)size, MPI_DOUBLE, above, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void sweep(const struct plate *plate)
{
    const double *before = field(plate, *plate->step);
    double *after = field(plate, *plate->step + 1);
    int64_t size = plate->size;
    for (int64_t row = 1; row <= plate->rows; row++) {
        int64_t global = plate->first + row - 1;
        if (global == 0 || global == size - 1)
            continue;
        for (int64_t i = row * size + 1; i < (row + 1) * size - 1; i++)
            after[i] = 0.25 * (before[i - size] + before[i + size] + (before[i - 1] + before[i + 1]));
    }
}

static int write_result(const struct plate *plate, const char *store)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/result.%d", store, plate->rank);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return 0;
    size_t cells = (size_t)(plate->rows * plate->size);
    int is_whole = fwrite(field(plate, *plate->step) + plate->size, sizeof(double), cells, file) == cells;
    return fclose(file) == 0 && is_whole;
}

static snapshot_job *open_job(const struct options *options)
{
    char directory[4096];
    snapshot_job *job = NULL;
    snapshot_options session = SNAPSHOT_OPTIONS;
    snapshot_job_options behaviour = SNAPSHOT_JOB_OPTIONS;
    session.flags = options->is_lazy ? SNAPSHOT_LAZY : 0;
    behaviour.session = &session;
    behaviour.every_steps = options->every_steps;
    behaviour.signals = "USR1";
    mkdir(options->store, 0777);
    snprintf(directory, sizeof directory, "%s/job", options->store);
    require(snapshot_job_open(MPI_COMM_WORLD, directory, &behaviour, &job) == 0);
    return job;
}

int main(int count, char **arguments)
{
    struct options options;
    struct plate plate;
    if (!read_options(count, arguments, &options)) {
        fputs("Usage: heat_ranks --store DIRECTORY [--size N] [--steps N] [--every-steps N] [--fill Lazy]\n",
              stderr);
        return 2;
    }

    MPI_Init(&count, &arguments);
    snapshot_job *job = open_job(&options);
    find(&plate, job, options.size);
    if (plate.rank == 0) {
        printf("from generation %lld, step %lld\n", (long long)snapshot_job_generation(job),
               (long long)*plate.step);
        fflush(stdout);
    }
    while (*plate.step < options.steps && snapshot_job_is_ending(job) == 0) {
        exchange(&plate);
        sweep(&plate);
        ++*plate.step;
        require(snapshot_job_poll(job, *plate.step) == 0); /* captured here, or not at all */
    }
    int has_ended = *plate.step == options.steps;
    if (has_ended && !write_result(&plate, options.store)) {
        perror("heat-ranks: the result");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (snapshot_job_close(job) != 0)
        fprintf(stderr, "heat-ranks: no checkpoint: %s\n", snapshot_error());
    MPI_Finalize();
    return has_ended ? 0 : SNAPSHOT_RUN_ME_AGAIN;
}
