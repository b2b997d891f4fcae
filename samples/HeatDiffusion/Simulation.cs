using KillDemo;
using Snapshot;

namespace HeatDiffusion;

/// <summary>
/// One run of the simulation, from the newest generation of its directory, or from the beginning.
/// </summary>
internal static class Simulation
{
    /// <summary>Runs to the last step and returns what came out.</summary>
    /// <exception cref="RunException">The input, or what is in the directory, does not fit.</exception>
    /// <exception cref="SnapshotException">The store or a checkpoint failed.</exception>
    internal static async Task<RunEvent.Finished> RunAsync(
        HeatOptions options, SampleProgram program, RunReporter reporter)
    {
        Directory.CreateDirectory(options.Directory);
        await using SnapshotSession session = SnapshotSession.Open(options.StoreDirectory);
        HeatMemory memory = HeatMemory.Open(session, options);
        using ResultsLog log = new(memory, options.ResultsPath, session.IsRestarted);
        session.RegisterHandler("results", log);

        // Fibers of a worker that has not attached are in the image all the same, as they stood.
        Checkpoints checkpoints = new(session, options, options.UsesFibers ? 0 : options.Threads, reporter);
        if (options.UsesFibers) FiberWorker.Prepare(options, memory, log, checkpoints);
        reporter.Report(new RunEvent.Started(session.Restarted?.Generation, memory.Workers[0].Step));
        Thread[] threads = [.. Enumerable.Range(0, options.Threads)
            .Select(index => program.StartWorker($"worker-{index}", () =>
            {
                if (options.UsesFibers) FiberWorker.Run(session, memory, index);
                else new Worker(index, options, memory, log, checkpoints).Run(session);
            }))];
        foreach (Thread thread in threads) thread.Join();
        await checkpoints.Latest.ConfigureAwait(false);
        return Finish(session, memory, log, options, reporter);
    }

    private static RunEvent.Finished Finish(
        SnapshotSession session, HeatMemory memory, ResultsLog log, HeatOptions options, RunReporter reporter)
    {
        string results;
        // As a participant: the lock of the log may still be held by a handler that a restart is about to
        // resume.
        using (session.Attach("finish")) results = log.Finish();
        if (options.Output is not null) memory.WritePicture(options.Output, options.Steps);
        RunEvent.Finished finished = new(memory.Checksum(options.Steps), results);
        reporter.Report(finished);
        return finished;
    }
}
