/*
 * write.c: the baseline of a job's checkpoint. Each rank writes its state into one file by MPI-IO, all at
 * once, and syncs it. Prints the milliseconds of each round in JSON. Compiled by the machine's mpicc.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int check(int error, const char *call)
{
    if (error == MPI_SUCCESS)
        return 0;
    fprintf(stderr, "%s failed\n", call);
    MPI_Abort(MPI_COMM_WORLD, 1);
    return error;
}

/* Returns when the state of all ranks is on the disk. */
static double write_all(MPI_File file, int rank, const double *state, int count)
{
    MPI_Barrier(MPI_COMM_WORLD);
    double begun = MPI_Wtime();
    MPI_Offset place = (MPI_Offset)rank * count * (MPI_Offset)sizeof *state;
    check(MPI_File_write_at_all(file, place, state, count, MPI_DOUBLE, MPI_STATUS_IGNORE),
          "MPI_File_write_at_all");
    check(MPI_File_sync(file), "MPI_File_sync");
    MPI_Barrier(MPI_COMM_WORLD);
    return 1e3 * (MPI_Wtime() - begun);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    if (argc != 4)
        return 1;
    int rank, rounds = atoi(argv[3]);
    int count = (int)(atoll(argv[2]) / (long long)sizeof(double));
    double *state = malloc((size_t)count * sizeof *state);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_File file;
    if (state == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
    check(MPI_File_open(MPI_COMM_WORLD, argv[1], MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file),
          "MPI_File_open");
    for (int round = 0; round <= rounds; round++) {
        for (int i = 0; i < count; i++)
            state[i] = rank + round + 0.001 * i;
        double took = write_all(file, rank, state, count);
        /* The first makes the file longer. */
        if (rank == 0 && round > 0)
            printf("%s%.3f", round == 1 ? "[" : ", ", took);
    }
    if (rank == 0)
        printf("]\n");
    MPI_File_close(&file);
    free(state);
    MPI_Finalize();
    return 0;
}
