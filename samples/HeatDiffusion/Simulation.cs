using Snapshot;

namespace HeatDiffusion;

/// <summary>One run of the simulation, from the newest generation of its directory, or from the beginning.</summary>
internal static class Simulation
{
    /// <summary>Runs to the last step and returns what came out.</summary>
    /// <exception cref="HeatException">The input, or what is in the directory, does not fit.</exception>
    /// <exception cref="SnapshotException">The store or a checkpoint failed.</exception>
    internal static async Task<RunEvent.Finished> RunAsync(HeatOptions options, RunReporter reporter)
    {
        Directory.CreateDirectory(options.Directory);
        await using SnapshotSession session = SnapshotSession.Open(options.StoreDirectory);
        HeatMemory memory = HeatMemory.Open(session, options);
        using ResultsLog log = new(memory, options.ResultsPath, session.IsRestarted);
        session.RegisterHandler("results", log);

        Checkpoints checkpoints = new(session, options, reporter);
        reporter.Report(new RunEvent.Started(session.Restarted?.Generation, memory.Workers[0].Step));
        Thread[] threads = [.. Enumerable.Range(0, options.Threads)
            .Select(index => Start(new Worker(index, options, memory, log, checkpoints), $"worker {index}", session))];
        foreach (Thread thread in threads) thread.Join();
        await checkpoints.Latest.ConfigureAwait(false);
        return Finish(session, memory, log, options, reporter);
    }

    private static Thread Start(Worker worker, string name, SnapshotSession session)
    {
        Thread thread = new(() =>
        {
            try
            {
                worker.Run(session);
            }
            catch (Exception error)
            {
                // The others wait for this thread at the barrier and always would: the process is what ends.
                Console.Error.WriteLine($"heat: {name} failed: {error}");
                Environment.Exit(1);
            }
        })
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return thread;
    }

    private static RunEvent.Finished Finish(
        SnapshotSession session, HeatMemory memory, ResultsLog log, HeatOptions options, RunReporter reporter)
    {
        string results;
        // As a participant: the lock of the log may still be held by a handler that a restart is about to resume.
        using (session.Attach("finish")) results = log.Finish();
        if (options.Output is not null) memory.WritePicture(options.Output, options.Steps);
        RunEvent.Finished finished = new(memory.Checksum(options.Steps), results);
        reporter.Report(finished);
        return finished;
    }
}
