using System.Globalization;

namespace Snapshot.Mpi.Calls;

/// <summary>What the program that started the ranks says of the job in their environment.</summary>
internal static class JobLauncher
{
    // Of Open MPI, of MPICH and others with a process manager that speaks PMI, and of srun; under mpirun the
    // last is of the daemons that srun started for it, so that the first one that is there counts.
    private static readonly string[] s_sizes =
        ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

    /// <summary>
    /// Refuses a job of one rank where many were started: each process would take itself for rank 0, and all
    /// would write the same store.
    /// </summary>
    /// <exception cref="SnapshotException">NativeLibrary.</exception>
    /// <param name="mpi">What this process calls.</param>
    /// <param name="communicator">Whose ranks the job has; 0: all.</param>
    /// <param name="size">How many these are.</param>
    internal static void RefuseOther(MpiLibrary mpi, int communicator, int size)
    {
        if (size != 1 || (communicator != 0 && communicator != mpi.World)) return;
        foreach (string name in s_sizes)
        {
            if (!int.TryParse(
                Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int started))
                continue;
            if (started <= 1) return;
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"{started} processes were started ({name}), but '{mpi.Path}' takes this one for the only " +
                $"one: it calls '{mpi.Version}', which is another MPI than that of mpirun. Compile it with " +
                "the mpicc of that one: put it first on the path, or name it in MPICC. With srun, --mpi " +
                "must be what this MPI speaks: pmix for Open MPI, pmi2 for MPICH.")
            { Path = mpi.Path };
        }
    }
}
