/*
 * snapshot_job.h: checkpoints and restarts of all ranks of an MPI job as one. Programs include
 * snapshot_mpi.h, which adds what takes a communicator; here is what the library itself has, which knows
 * nothing of MPI.
 *
 * A job is a directory with a store for each rank, and a manifest that says which images belong together.
 * All ranks are captured at the same step, and restart from the newest generation that every one of them has.
 *
 *     MPI_Init(&argc, &argv);
 *     snapshot_job *job;
 *     if (snapshot_job_open(MPI_COMM_WORLD, "heat.job", NULL, &job) != 0) die(snapshot_error());
 *     snapshot_session *session = snapshot_job_session(job);
 *     int64_t *step = snapshot_array(session, "step", "i64", 1);
 *     double *field = snapshot_array(session, "field", "f64", cells);
 *     while (*step < steps) {
 *         exchange(field);
 *         sweep(field);
 *         ++*step;
 *         if (snapshot_job_poll(job, *step) != 0) die(snapshot_error());
 *     }
 *     snapshot_job_close(job);
 *     MPI_Finalize();
 *
 * Collective: opening, snapshot_job_poll, snapshot_job_checkpoint and snapshot_job_close. All ranks call them
 * in the same order and with the same steps, each on the thread that calls MPI. Calls of MPI are between
 * polls: where a rank polls, everything that was sent to it has been received, and no request and no epoch of
 * a window is open. What one rank cannot do no rank does, and all are told the words of the first that
 * failed.
 *
 * Errors, texts, structures of options, fork: as in snapshot.h.
 */
#ifndef SNAPSHOT_JOB_H
#define SNAPSHOT_JOB_H

#include "snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapshot_job snapshot_job;

/* What a program exits with that was asked to end and wants to be started again: EX_TEMPFAIL. */
#define SNAPSHOT_RUN_ME_AGAIN 75

enum snapshot_job_flags {
    SNAPSHOT_IGNORE_MESSAGES = 1, /* do not look for messages that nobody received */
    SNAPSHOT_PARTNER = 2          /* copy each published generation to ranks of another host */
};

/* Where images of a generation are. */
enum snapshot_level {
    SNAPSHOT_LEVEL_LOCAL = 0,   /* in each rank's own store */
    SNAPSHOT_LEVEL_PARTNER = 1, /* with a rank of another host: survives the loss of any one host */
    SNAPSHOT_LEVEL_SHARED = 2   /* in the shared directory: survives the loss of all hosts */
};

/* How far a published generation is copied to another level. */
typedef struct snapshot_job_copy {
    int level;           /* of snapshot_level */
    int is_complete;     /* all ranks are done, and the manifest of the job says so */
    int64_t generation;  /* of the job */
    int64_t bytes_done;  /* of this rank's images, those copied */
    int64_t bytes_total; /* of this rank's images, those that the level did not have */
    const char *error;   /* why it was given up, on whichever rank; NULL: it was not. During the call alone */
} snapshot_job_copy;

/* All ranks give the same but failure_domain. Of every_steps, interval and mtbf one at most is set. */
typedef struct snapshot_job_options {
    size_t size;                     /* of this structure */
    const snapshot_options *session; /* of each rank; NULL: the defaults */
    unsigned flags;                  /* of snapshot_job_flags */
    int keep;                        /* published generations that stay; 0: 2, since one may be damaged */
    int64_t every_steps;             /* a checkpoint at each step that it divides; 0: none */
    double interval;                 /* a checkpoint each time that so many seconds have passed; 0: none */
    double mtbf;         /* mean time between failures, from which the interval follows (Young); 0: none */
    double time_limit;   /* time that the job may run, from its opening on; 0: no limit */
    double time_margin;  /* how long before the limit the last checkpoint begins; 0: a minute */
    const char *signals; /* that ask for the last checkpoint, such as "USR1,TERM"; NULL: none */
    const char *failure_domain;   /* what is lost together with this rank; NULL: the name of the host */
    const char *shared_directory; /* that all hosts see, for copies of generations; NULL: none */
    int64_t shared_every;         /* every how many generations one is copied there; 0: 1 */
    int64_t copy_rate;            /* bytes a second that each rank copies to a level; 0: as fast as it can */
    /* Is told of copies by the thread that polls; must not call the job. NULL: none. */
    void (*on_copy)(void *argument, const snapshot_job_copy *copy) SNAPSHOT_CALLBACK;
    void *argument;
} snapshot_job_options;

#define SNAPSHOT_JOB_OPTIONS \
    { \
        sizeof(snapshot_job_options), 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0 \
    }

/*
 * What snapshot_job_open of snapshot_mpi.h calls: opens a job over a table of calls of MPI, for the ranks of
 * a communicator as Fortran has it (MPI_Comm_c2f). A table of NULL says that MPI has not begun, or has ended.
 */
struct snm_calls;
SNAPSHOT_API int snapshot_job_open_with(const struct snm_calls *calls, int32_t communicator,
                                        const char *directory, const snapshot_job_options *options,
                                        snapshot_job **job);

/*
 * The session of this rank, for all functions of snapshot.h: arrays, memory of the program, threads,
 * handlers. It is closed with the job and not before. A snapshot_checkpoint of its own is in no generation of
 * the job, and snapshot_due is never told anything: the job decides.
 */
SNAPSHOT_API snapshot_session *snapshot_job_session(const snapshot_job *job);

/* The generation of the job that all ranks were restored from; 0: the job began fresh. */
SNAPSHOT_API int64_t snapshot_job_generation(const snapshot_job *job);

/* The step at which that was captured; 0: the job began fresh. */
SNAPSHOT_API int64_t snapshot_job_step(const snapshot_job *job);

/*
 * Where this rank's images came from (snapshot_level): another than LOCAL where its own store did not
 * have them whole.
 */
SNAPSHOT_API int snapshot_job_level(const snapshot_job *job);

/*
 * Newer generations that not every rank could restore, a line each with the reason; "": none. Valid as long
 * as the job is open.
 */
SNAPSHOT_API const char *snapshot_job_skipped(const snapshot_job *job);

/*
 * A safepoint of the whole job: as a rule it counts and returns. When all ranks have agreed on a checkpoint,
 * all capture at this step, and the images are written while they compute on. A checkpoint that fails costs
 * only itself: snapshot_job_failure. OUT_OF_STEP: another rank called with another step, or called something
 * else; the job cannot go on, nor after MPI.
 */
SNAPSHOT_API int snapshot_job_poll(snapshot_job *job, int64_t step);

/*
 * Takes a checkpoint here, where all ranks call it, and returns when it is published. *generation, unless
 * NULL, is its number. OPEN_MESSAGE: a message was not received. RANK_FAILED: another rank could not.
 */
SNAPSHOT_API int snapshot_job_checkpoint(snapshot_job *job, int64_t step, int64_t *generation);

/* Asks for a checkpoint at one of the next polls of all ranks. One rank is enough; any thread. */
SNAPSHOT_API int snapshot_job_request(snapshot_job *job);

/*
 * What the newest checkpoint failed with, on whichever rank: a negated code, whose text snapshot_error() has;
 * 0: it was published, or is under way, or there was none. The same on all ranks but for the words.
 */
SNAPSHOT_API int snapshot_job_failure(snapshot_job *job);

/*
 * Whether the program was asked to end, by a signal to one of the ranks or by the time limit, and the
 * checkpoint for it is published: 1 on all ranks from the same poll on, else 0. Leave the loop then, and exit
 * with SNAPSHOT_RUN_ME_AGAIN.
 */
SNAPSHOT_API int snapshot_job_is_ending(snapshot_job *job);

/* snapshot_job_check_messages_on of snapshot_mpi.h, for a communicator as Fortran has it. */
SNAPSHOT_API int snapshot_job_check_messages_with(snapshot_job *job, int32_t communicator);

/*
 * Publishes what is under way, copies it to all levels, and closes the job with its session; before
 * MPI_Finalize. Arrays stay mapped until the process ends. What the newest checkpoint failed with is returned
 * here, where nobody was told; the job is closed all the same. Where other ranks go on, nothing is waited
 * for. NULL is closed already.
 */
SNAPSHOT_API int snapshot_job_close(snapshot_job *job);

#ifdef __cplusplus
}
#endif

#endif
