/*
 * heat.c: heat in a plate, by four threads that are captured wherever their work has come to.
 *
 *     cc -O2 heat.c -o heat -lsnapshot -pthread
 *     ./heat STORE [STEPS] [DUMP]
 *
 * Kill it, start it again: it goes on. DUMP is a file for the field at the end. All the samples compute the
 * same field, bit for bit.
 *
 * Each thread has the stage in which it is in the arena: after a restart it goes on with that one. The
 * barrier is there, too, with all who had come. A program that asks for checkpoints where only one thread
 * runs needs none of this: see heat_openmp.c.
 */
#include <snapshot.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 256
#define THREADS 4
#define BETWEEN 50 /* steps from one checkpoint to the next */

typedef double plate[N][N];

/* What a thread has come to: its step, and 0 before it has swept its rows, 1 after. */
struct progress {
    int64_t step;
    int64_t has_swept;
};

static snapshot_session *s_session;
static snapshot_barrier *s_barrier;
static struct progress *s_progress; /* of each thread */
static plate *s_plates;             /* by turns the field before and after a step */
static int64_t s_steps = 2000;

static void require(int is_right)
{
    if (is_right)
        return;
    fprintf(stderr, "heat: %s\n", snapshot_error());
    exit(1);
}

static void *array(const char *name, const char *layout, int64_t count)
{
    void *memory = snapshot_array(s_session, name, layout, count);
    require(memory != NULL);
    return memory;
}

static void sweep(int thread, int64_t step)
{
    plate *before = &s_plates[step % 2], *after = &s_plates[(step + 1) % 2];
    int first = 1 + thread * (N - 2) / THREADS, end = 1 + (thread + 1) * (N - 2) / THREADS;
    for (int i = first; i < end; i++)
        for (int j = 1; j < N - 1; j++)
            (*after)[i][j] = 0.25 * (((*before)[i - 1][j] + (*before)[i + 1][j]) +
                                     ((*before)[i][j - 1] + (*before)[i][j + 1]));
}

static void *work(void *argument)
{
    int thread = (int)(intptr_t)argument;
    struct progress *mine = &s_progress[thread];
    char name[16];
    snapshot_participant *me;
    snprintf(name, sizeof name, "worker %d", thread);
    require(snapshot_attach(s_session, name, &me) == 0);
    while (mine->step < s_steps) {
        if (!mine->has_swept) {
            if (thread == 0 && mine->step % BETWEEN == 0)
                require(snapshot_checkpoint(s_session, NULL, NULL) == 0);
            sweep(thread, mine->step);
            mine->has_swept = 1;
        }
        require(snapshot_barrier_wait(s_barrier) >= 0); /* a thread may be captured in here */
        mine->step++;
        mine->has_swept = 0;
    }
    require(snapshot_detach(me) == 0);
    return NULL;
}

static void finish(const char *dump)
{
    plate *field = &s_plates[s_steps % 2];
    uint64_t checksum = 0, word;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            memcpy(&word, &(*field)[i][j], sizeof word);
            checksum ^= word;
        }
    }
    if (dump != NULL) {
        FILE *file = fopen(dump, "wb");
        if (file == NULL || fwrite(field, sizeof *field, 1, file) != 1 || fclose(file) != 0) {
            perror(dump);
            exit(1);
        }
    }
    printf("checksum %016llx\n", (unsigned long long)checksum);
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    if (count < 2) {
        fprintf(stderr, "usage: heat STORE [STEPS] [DUMP]\n");
        return 2;
    }
    if (count > 2)
        s_steps = atoll(arguments[2]);
    require(snapshot_open(arguments[1], NULL, &s_session) == 0);
    s_barrier = array("barrier", "struct:8208:snapshot_barrier", 1);
    s_progress = array("progress", "struct:16:progress", THREADS);
    s_plates = array("plates", "f64", 2 * N * N);
    if (snapshot_generation(s_session) == 0) {
        require(snapshot_barrier_init(s_barrier, THREADS) == 0);
        for (int i = 0; i < N; i++) /* the left edge is hot, and the half of the upper one */
            s_plates[0][i][0] = s_plates[1][i][0] = 100;
        for (int j = 1; j < N / 2; j++)
            s_plates[0][0][j] = s_plates[1][0][j] = 50;
    }
    printf("from generation %lld\n", (long long)snapshot_generation(s_session));
    fflush(stdout);
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    finish(count > 3 ? arguments[3] : NULL);
    require(snapshot_close(s_session) == 0);
    return 0;
}
