using System.IO.Hashing;
using System.Text;
using KillDemo;
using Snapshot;
using Snapshot.NativeThreads;

namespace NativeSolvers;

/// <summary>
/// One run of the solvers, from the newest generation of its directory, or from the beginning.
/// </summary>
internal static class Simulation
{
    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(2);

    /// <summary>Runs to the end and returns what came out.</summary>
    /// <exception cref="RunException">
    /// A native module is missing, or what is in the directory does not fit.
    /// </exception>
    /// <exception cref="SnapshotException">The store, a native module or a checkpoint failed.</exception>
    internal static async Task<RunEvent.Finished> RunAsync(SimulationOptions options, RunReporter reporter)
    {
        ModuleFiles.Require();
        Directory.CreateDirectory(options.Directory);
        await using SnapshotSession session = SnapshotSession.Open(options.StoreDirectory);
        SimulationMemory memory = SimulationMemory.Open(session, options);
        NativeThread[] threads = Start(session, memory, options);
        reporter.Report(new RunEvent.Started(session.Restarted?.Generation, memory.Step));
        await WatchAsync(session, memory, threads, options, reporter).ConfigureAwait(false);

        ulong converged = 0;
        foreach (NativeThread thread in threads[..^1]) converged += thread.Join();
        threads[^1].Join();
        return Finish(memory, options, converged, reporter);
    }

    /// <summary>
    /// In a new process these same calls let the threads of the image go on where they stood: deep in a
    /// recursion, in a sweep.
    /// </summary>
    private static unsafe NativeThread[] Start(
        SnapshotSession session, SimulationMemory memory, SimulationOptions options)
    {
        NativeHost host = session.OpenNative(memory.Arena);
        NativeModule quadrature = host.Load(ModuleFiles.Quadrature);
        NativeModule stencil = host.Load(ModuleFiles.Stencil);
        return
        [
            .. Enumerable.Range(0, options.Threads).Select(worker => host.Start(
                $"worker {worker}", quadrature, "integrate", memory.QuadratureOf(worker))),
            host.Start("membrane", stencil, "vibrate", memory.Stencil),
        ];
    }

    /// <summary>Asks for a checkpoint every so many steps, until all threads have ended.</summary>
    private static async Task WatchAsync(
        SnapshotSession session,
        SimulationMemory memory,
        NativeThread[] threads,
        SimulationOptions options,
        RunReporter reporter)
    {
        Checkpoints checkpoints = new(session, options, participants: 0, reporter);
        long told = memory.Step;
        while (!threads.All(thread => thread.HasEnded))
        {
            await Task.Delay(s_betweenLooks).ConfigureAwait(false);
            for (long step = memory.Step; told < step;) checkpoints.AfterStep(++told);
        }

        await checkpoints.Latest.ConfigureAwait(false);
    }

    private static RunEvent.Finished Finish(
        SimulationMemory memory, SimulationOptions options, ulong converged, RunReporter reporter)
    {
        byte[] report = Encoding.ASCII.GetBytes($"{memory.Report()}converged: {converged}\n");
        File.WriteAllBytes(options.ResultsPath, report);
        string results = Convert.ToHexStringLower(XxHash64.Hash(report));
        RunEvent.Finished finished = new(memory.Checksum(), results, memory.Summary());
        reporter.Report(finished);
        return finished;
    }
}
