/*
 * job.c: jobs of two ranks, in scenes: `first` and `second` of one job, `alone` with another number of ranks.
 * Each line that a rank says begins with its number.
 */
#include <snapshot_mpi.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int s_rank = -1;

static void say(const char *what)
{
    printf("%d: %s\n", s_rank, what);
    fflush(stdout);
}

static void say_result(const char *call, int result)
{
    char text[8192];
    snprintf(text, sizeof text, "%s %s %s", call, result < 0 ? snapshot_code_name(result) : "good",
             result < 0 ? snapshot_error() : "");
    say(text);
}

static int abort_once(void *argument, int64_t generation)
{
    int *left = argument;
    (void)generation;
    return (*left)-- > 0 ? 7 : 0;
}

/* Polls until the job is ending, or at most so many times. */
static int64_t poll_to_end(snapshot_job *job, int64_t *step)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 20000 && snapshot_job_is_ending(job) == 0; i++) {
        nanosleep(&moment, NULL);
        ++*step;
        if (snapshot_job_poll(job, *step) != 0)
            break;
    }
    return *step;
}

static void refuse(const char *directory)
{
    snapshot_job *job = NULL;
    snapshot_options session = SNAPSHOT_OPTIONS;
    snapshot_job_options options = SNAPSHOT_JOB_OPTIONS;
    session.keep = 3;
    options.session = &session;
    say_result("open", snapshot_job_open(MPI_COMM_WORLD, directory, &options, &job));
    options.session = NULL;
    options.mtbf = 1.0;
    options.every_steps = 3;
    say_result("open", snapshot_job_open(MPI_COMM_WORLD, directory, &options, &job));
    options.every_steps = 0;
    options.mtbf = 0.0;
    options.signals = "KILL";
    say_result("open", snapshot_job_open(MPI_COMM_WORLD, directory, &options, &job));
}

/* A message is on its way at the first checkpoint; rank 1 aborts the second; the third is published. */
static void checkpoints(snapshot_job *job, MPI_Comm own, int64_t *step)
{
    int left = s_rank, sent[6] = {0}, received[6];
    int64_t generation = 0;
    snapshot_handler handler = SNAPSHOT_HANDLER;
    handler.prepare = abort_once;
    if (s_rank == 0)
        MPI_Send(sent, 6, MPI_INT, 1, 42, own);
    say_result("message", snapshot_job_checkpoint(job, *step, NULL));
    if (s_rank == 1)
        MPI_Recv(received, 6, MPI_INT, 0, 42, own, MPI_STATUS_IGNORE);
    snapshot_on_checkpoint(snapshot_job_session(job), "abort", &handler, &left);
    say_result("abort", snapshot_job_checkpoint(job, *step, NULL));
    say_result("failure", snapshot_job_failure(job));
    say_result("published", snapshot_job_checkpoint(job, *step, &generation));
    say_result("failure", snapshot_job_failure(job));
    printf("%d: generation %d\n", s_rank, (int)generation);
}

static void on_copy(void *argument, const snapshot_job_copy *copy)
{
    if (copy->is_complete && copy->error == NULL && copy->bytes_done == copy->bytes_total)
        *(int *)argument |= copy->level;
}

/* Each rank stands for a host; generations are copied to the other one, and to a shared directory. */
static snapshot_job *open_job(const char *directory, int *copied)
{
    char shared[4096];
    snapshot_job *job = NULL;
    snapshot_job_options options = SNAPSHOT_JOB_OPTIONS;
    snprintf(shared, sizeof shared, "%s.shared", directory);
    options.signals = "USR1";
    options.flags = SNAPSHOT_PARTNER;
    options.failure_domain = s_rank == 0 ? "a" : "b";
    options.shared_directory = shared;
    options.on_copy = on_copy;
    options.argument = copied;
    if (snapshot_job_open(MPI_COMM_WORLD, directory, &options, &job) == 0)
        return job;
    puts(snapshot_error());
    exit(1);
}

static int first(const char *directory)
{
    int copied = 0;
    MPI_Comm own;
    refuse(directory);
    snapshot_job *job = open_job(directory, &copied);
    snapshot_session *session = snapshot_job_session(job);
    say_result("close the session", snapshot_close(session));
    int64_t *step = snapshot_array(session, "step", "i64", 1);
    *step = 1;
    MPI_Comm_dup(MPI_COMM_WORLD, &own);
    snapshot_job_check_messages_on(job, own);
    checkpoints(job, own, step);
    if (s_rank == 1)
        raise(SIGUSR1);
    poll_to_end(job, step);
    printf("%d: signal %d\n", s_rank, snapshot_last_signal(session));
    say_result("close", snapshot_job_close(job));
    say_result("again", snapshot_job_close(job));
    MPI_Comm_free(&own);
    printf("%d: copied %d\n", s_rank, copied);
    return SNAPSHOT_RUN_ME_AGAIN;
}

/* Goes on, and polls out of step. */
static int second(const char *directory)
{
    int copied = 0;
    snapshot_job *job = open_job(directory, &copied);
    int64_t *step = snapshot_array(snapshot_job_session(job), "step", "i64", 1);
    printf("%d: from %d at %s step, level %d, skipped '%s'\n", s_rank, (int)snapshot_job_generation(job),
           *step > 1 && *step == snapshot_job_step(job) ? "its" : "another", snapshot_job_level(job),
           snapshot_job_skipped(job));
    int result = 0;
    for (*step = 7; result == 0 && *step < 50; ++*step)
        result = snapshot_job_poll(job, *step + (s_rank == 1));
    say_result("poll", result);
    return 0;
}

int main(int count, char **arguments)
{
    snapshot_job *job = NULL;
    int code = 0;
    if (count != 3)
        return 2;
    const char *scene = arguments[1], *directory = arguments[2];
    int before = snapshot_job_open(MPI_COMM_WORLD, directory, NULL, &job);
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &s_rank);
    say_result("open", before);
    if (strcmp(scene, "first") == 0)
        code = first(directory);
    else if (strcmp(scene, "second") == 0)
        code = second(directory);
    else
        say_result("open", snapshot_job_open(MPI_COMM_WORLD, directory, NULL, &job));
    MPI_Finalize();
    return code;
}
