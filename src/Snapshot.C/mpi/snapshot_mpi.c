/*
 * snapshot_mpi.c: what of snapshot_mpi.h needs the program's own MPI; see there. calls.c beside it has the
 * calls that the library makes.
 */
#include <snapshot_mpi.h>

#include "calls.h"

#include <stddef.h>
#include <string.h>

#if defined(OPEN_MPI)
#define OTHER_FAMILY "MPICH"
#else
#define OTHER_FAMILY "Open MPI"
#endif

static int is_running(void)
{
    int begun = 0, ended = 0;
    return MPI_Initialized(&begun) == MPI_SUCCESS && begun && MPI_Finalized(&ended) == MPI_SUCCESS && !ended;
}

/* Another family's handles cannot be read here: the library then refuses the table, and says why. */
static int is_of_this_family(void)
{
    char version[SNM_VERSION_BYTES] = "";
    int length = 0;
    return MPI_Get_library_version(version, &length) == MPI_SUCCESS && strstr(version, OTHER_FAMILY) == NULL;
}

int snapshot_job_open_f(MPI_Fint communicator, const char *directory, const snapshot_job_options *options,
                        snapshot_job **job)
{
    const struct snm_calls *calls = is_running() ? snm_calls(SNM_ABI_VERSION) : NULL;
    return snapshot_job_open_with(calls, (int32_t)communicator, directory, options, job);
}

int snapshot_job_open(MPI_Comm communicator, const char *directory, const snapshot_job_options *options,
                      snapshot_job **job)
{
    MPI_Fint number = is_running() && is_of_this_family() ? MPI_Comm_c2f(communicator) : 0;
    return snapshot_job_open_f(number, directory, options, job);
}

int snapshot_job_check_messages_on(snapshot_job *job, MPI_Comm communicator)
{
    return snapshot_job_check_messages_with(job, (int32_t)MPI_Comm_c2f(communicator));
}
