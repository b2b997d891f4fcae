/*
 * heat_openmp.c: heat in a plate, by OpenMP, with checkpoints where one thread runs.
 *
 *     cc -O2 -fopenmp heat_openmp.c -o heat_openmp -lsnapshot
 *     ./heat_openmp STORE [STEPS] [DUMP]
 */
#include <snapshot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 256

static void *require(void *result)
{
    if (result != NULL)
        return result;
    fprintf(stderr, "heat_openmp: %s\n", snapshot_error());
    exit(1);
}

int main(int count, char **arguments)
{
    snapshot_session *session = NULL;
    int64_t steps = count > 2 ? atoll(arguments[2]) : 2000;
    snapshot_open(count > 1 ? arguments[1] : "heat.store", NULL, &session);
    require(session);
    int64_t *step = require(snapshot_array(session, "step", "i64", 1));
    double(*u)[N][N] = require(snapshot_array(session, "plates", "f64", 2 * N * N));
    printf("from generation %lld\n", (long long)snapshot_generation(session));
    fflush(stdout);
    if (snapshot_generation(session) == 0) {
        for (int i = 0; i < N; i++)
            u[0][i][0] = u[1][i][0] = 100;
        for (int j = 1; j < N / 2; j++)
            u[0][0][j] = u[1][0][j] = 50;
    }
    for (; *step < steps; ++*step) {
        double(*before)[N] = u[*step % 2], (*after)[N] = u[(*step + 1) % 2];
        if (*step % 50 == 0 && snapshot_checkpoint(session, NULL, NULL) != 0)
            fprintf(stderr, "no checkpoint: %s\n", snapshot_error()); /* the next one has what this lacks */
#pragma omp parallel for
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                after[i][j] =
                    0.25 * ((before[i - 1][j] + before[i + 1][j]) + (before[i][j - 1] + before[i][j + 1]));
    }
    uint64_t checksum = 0, words[N * N];
    memcpy(words, u[steps % 2], sizeof words);
    for (int i = 0; i < N * N; i++)
        checksum ^= words[i];
    FILE *dump = count > 3 ? fopen(arguments[3], "wb") : NULL;
    if (count > 3 && (dump == NULL || fwrite(words, sizeof words, 1, dump) != 1 || fclose(dump) != 0))
        return 1;
    printf("checksum %016llx\n", (unsigned long long)checksum);
    return snapshot_close(session) == 0 ? 0 : 1;
}
