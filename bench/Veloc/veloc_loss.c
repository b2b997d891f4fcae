/*
 * veloc_loss.c: what a program loses by checkpoints that it takes with VELOC's calls. It is linked with a
 * library of that name, ours or VELOC's own, so that the same program measures both:
 *
 *     mpicc -O2 -I PATH_OF_VELOC_H veloc_loss.c -o veloc_loss -L PATH -lveloc-client
 *     mpirun -np RANKS ./veloc_loss CONFIGURATION MEBIBYTES CHECKPOINTS
 *
 * Each rank has memory of that size, of random numbers. Between two checkpoints it reads all of it, and
 * rewrites a tenth in pieces of 64 KiB. The same is done without checkpoints first, as the baseline.
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <veloc.h>

enum { PIECE = 64 << 10, PASSES = 3 };

static uint64_t *s_memory;
static size_t s_words;
static int s_step;
static volatile uint64_t s_sum;

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void compute(void)
{
    size_t words = PIECE / sizeof(uint64_t), pieces = s_words / words;
    uint64_t sum = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < s_words; i++)
            sum += s_memory[i];
    }
    s_sum = sum;
    for (size_t piece = (size_t)s_step % 10; piece < pieces; piece += 10) {
        for (size_t i = 0; i < words; i++)
            s_memory[piece * words + i] = next_random();
    }
    s_step++;
    MPI_Barrier(MPI_COMM_WORLD);
}

static void require(int result, const char *what)
{
    if (result == VELOC_SUCCESS)
        return;
    fprintf(stderr, "%s failed\n", what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Seconds of so many turns; *calls is the time in VELOC_Checkpoint. */
static double turns(int count, int with_checkpoints, double *calls)
{
    *calls = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (int i = 0; i < count; i++) {
        compute();
        if (!with_checkpoints)
            continue;
        double called = MPI_Wtime();
        require(VELOC_Checkpoint("loss", s_step), "VELOC_Checkpoint");
        *calls += MPI_Wtime() - called;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Wtime() - begin;
}

int main(int count, char **arguments)
{
    int rank;
    double calls, first_call;
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (count < 4)
        MPI_Abort(MPI_COMM_WORLD, 2);
    s_words = (size_t)atol(arguments[2]) * (1 << 20) / sizeof(uint64_t);
    int checkpoints = atoi(arguments[3]);
    s_memory = malloc(s_words * sizeof(uint64_t));
    if (s_memory == NULL || checkpoints < 1)
        MPI_Abort(MPI_COMM_WORLD, 2);
    for (size_t i = 0; i < s_words; i++)
        s_memory[i] = next_random();
    require(VELOC_Init(MPI_COMM_WORLD, arguments[1]), "VELOC_Init");
    require(VELOC_Mem_protect(0, &s_step, 1, sizeof s_step), "VELOC_Mem_protect");
    require(VELOC_Mem_protect(1, s_memory, s_words, sizeof(uint64_t)), "VELOC_Mem_protect");
    double without = turns(checkpoints, 0, &calls);
    turns(1, 1, &first_call); /* all memory, once */
    require(VELOC_Checkpoint_wait(), "VELOC_Checkpoint_wait");
    double with = turns(checkpoints, 1, &calls);
    require(VELOC_Checkpoint_wait(), "VELOC_Checkpoint_wait");
    if (rank == 0) {
        printf("turn %.3f s; lost a checkpoint %.3f s, of which in the call %.3f s; the first call %.3f s\n",
               without / checkpoints, (with - without) / checkpoints, calls / checkpoints, first_call);
    }
    require(VELOC_Finalize(1), "VELOC_Finalize");
    MPI_Finalize();
    return 0;
}
