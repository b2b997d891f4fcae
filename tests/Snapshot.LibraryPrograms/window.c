/* One window of MPI, for tests that have peers write the memory of a rank. Compiled by mpicc as a library. */
#include <mpi.h>
#include <stdint.h>

static MPI_Win s_window;

int window_open(void *memory, int64_t bytes)
{
    return MPI_Win_create(memory, (MPI_Aint)bytes, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &s_window);
}

/* Done at the target, too, when it returns. */
int window_put(const void *bytes, int32_t count, int32_t rank, int64_t at)
{
    int error = MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, s_window);
    if (error == MPI_SUCCESS)
        error = MPI_Put(bytes, count, MPI_BYTE, rank, (MPI_Aint)at, count, MPI_BYTE, s_window);
    int unlocked = MPI_Win_unlock(rank, s_window);
    return error == MPI_SUCCESS ? unlocked : error;
}

int window_close(void)
{
    return MPI_Win_free(&s_window);
}
