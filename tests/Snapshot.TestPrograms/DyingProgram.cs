using System.Diagnostics;
using System.Globalization;

namespace Snapshot.TestPrograms;

/// <summary>
/// Goes one step, commits a generation and kills itself, unless that was the last step. So each process makes
/// progress, and dies.
/// </summary>
internal static class DyingProgram
{
    internal static int Run(string store, long steps)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        ref long step = ref session.OpenArena("steps").Root<long>("step");
        using Participant me = session.Attach("main");
        step++;
        session.RequestCheckpoint().WaitCommittedInThread();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step}"));
        if (step >= steps) return 0;
        Process.GetCurrentProcess().Kill();
        throw new UnreachableException();
    }
}
