/*
 * snapshot_mpi.h: the calls of snapshot_job.h that take a communicator. MPI's binary interface differs
 * between its families, so these few are compiled by the program's mpicc, from the sources in
 * share/snapshot/mpi: with the program, or once for all programs of that MPI.
 *
 *     mpicc heat.c snapshot_mpi.c calls.c -lsnapshot
 *     mpicc -O2 -shared -fPIC -o libsnapshot_mpi.so snapshot_mpi.c calls.c -lsnapshot
 */
#ifndef SNAPSHOT_MPI_H
#define SNAPSHOT_MPI_H

#include <mpi.h>

#include "snapshot_job.h"

#if defined(__GNUC__)
#define SNAPSHOT_MPI_API __attribute__((visibility("default")))
#else
#define SNAPSHOT_MPI_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens a job in a directory, for the ranks of a communicator: restores all of them from the newest
 * generation that every one has, or starts fresh where none was published. Collective, between MPI_Init and
 * MPI_Finalize, which are the program's. The directory is the same for all ranks, and made when it is
 * missing; options may be NULL. Messages of the job itself are on communicators of its own.
 *
 * MISUSE: MPI is not running. NATIVE_LIBRARY: it is not the MPI that this was compiled with, or not that of
 * mpirun. LAYOUT_MISMATCH: the job had another number of ranks. NOT_FOUND: none of its generations can be
 * restored. RANK_FAILED: another rank could not open its store.
 */
SNAPSHOT_MPI_API int snapshot_job_open(MPI_Comm communicator, const char *directory,
                                       const snapshot_job_options *options, snapshot_job **job);

/* The same for the number of a communicator that a Fortran program has. */
SNAPSHOT_MPI_API int snapshot_job_open_f(MPI_Fint communicator, const char *directory,
                                         const snapshot_job_options *options, snapshot_job **job);

/*
 * Looks, before each capture, also on this communicator for messages that were not received; it does so on
 * the one of the job.
 */
SNAPSHOT_MPI_API int snapshot_job_check_messages_on(snapshot_job *job, MPI_Comm communicator);

#ifdef __cplusplus
}
#endif

#endif
