using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.Mpi.Slurm;

/// <summary>A test with a Slurm of its own, which counts in minutes: only when it is asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SlurmFactAttribute : FactAttribute
{
    public SlurmFactAttribute() => Skip =
        Environment.GetEnvironmentVariable("SNAPSHOT_SLURM") is not { Length: > 0 }
            ? "takes minutes: set SNAPSHOT_SLURM=1"
            : ((string[])[.. SlurmMachine.Programs, "mpirun.openmpi", "mpicc.openmpi"])
                .Select(ModuleWorkshop.Missing).OfType<string>().FirstOrDefault();
}
