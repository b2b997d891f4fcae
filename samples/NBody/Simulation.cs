using System.Globalization;
using KillDemo;
using Snapshot;
using Snapshot.Fibers;

namespace NBody;

/// <summary>
/// One run of the simulation, from the newest generation of its directory, or from the beginning.
/// </summary>
internal static class Simulation
{
    private static readonly TimeSpan s_handlerEnds = TimeSpan.FromSeconds(10);

    /// <summary>Runs to the last step and returns what came out.</summary>
    /// <exception cref="RunException">What is in the directory does not fit.</exception>
    /// <exception cref="InvalidOperationException">Something was lost or done twice.</exception>
    /// <exception cref="SnapshotException">The store or a checkpoint failed.</exception>
    internal static async Task<RunEvent.Finished> RunAsync(
        NBodyOptions options, SampleProgram program, RunReporter reporter)
    {
        Directory.CreateDirectory(options.Directory);

        // Nobody goes on before the file is cut back: a run that had ended would end again before it is known
        // whether the file is its own.
        await using SnapshotSession session = SnapshotSession.Open(
            options.StoreDirectory, new SnapshotOptions { Gates = Gates.OnRestart });
        ClusterMemory memory = ClusterMemory.Open(session, options);
        using ResultsFile file = new(options.ResultsPath, session.IsRestarted);

        // Fibers of a worker that has not attached are in the image all the same, as they stood.
        Checkpoints checkpoints = new(session, options, participants: 0, reporter);
        Crew.Prepare(file, checkpoints, options.Threads);
        session.RegisterHandler(
            "results",
            session.CreateHandler(
                memory.Arena, memory.Cluster,
                static (checkpoint, all) => Crew.KeepFileInStepAsync(checkpoint, all)));
        reporter.Report(new RunEvent.Started(session.Restarted?.Generation, memory.Cluster.Value.Step));
        Thread[] threads = [.. Enumerable.Range(0, options.Threads).Select(worker => program.StartWorker(
            $"worker-{worker}", () => RunWorker(session, memory, worker)))];
        foreach (Thread thread in threads) thread.Join();
        await checkpoints.Latest.ConfigureAwait(false);
        return Finish(session, memory, file, reporter);
    }

    private static void RunWorker(SnapshotSession session, ClusterMemory memory, int worker)
    {
        ICheckpointHandler count = session.CreateHandler(
            memory.Arena, worker, static (checkpoint, number) => Crew.KeepCountAsync(checkpoint, number));
        session.RunFibers(
            $"worker-{worker}",
            memory.Arena,
            () => Fiber.Start((memory.Cluster, worker), static a => Crew.LeadAsync(a.Cluster, a.worker)),
            new ParticipantOptions { Handlers = [("count", count)] });
    }

    private static RunEvent.Finished Finish(
        SnapshotSession session, ClusterMemory memory, ResultsFile file, RunReporter reporter)
    {
        string results;
        // As a participant: the mutex may still be held by a handler that a restart is about to resume.
        using (session.Attach("finish"))
        using (memory.Cluster.Value.FileMutex.EnterScope()) results = file.Checksum();

        // That handler's own frames are there until it has ended, a moment later.
        if (!SpinWait.SpinUntil(() => memory.IsFreeOfFrames, s_handlerEnds))
            throw new InvalidOperationException("All fibers have ended, but frames are left in the arena.");
        RunEvent.Finished finished = new(memory.Checksum(), results, Summary(ref memory.Cluster.Value));
        reporter.Report(finished);
        return finished;
    }

    /// <exception cref="InvalidOperationException">A part of the work was lost or done twice.</exception>
    private static string Summary(ref Cluster cluster)
    {
        for (int tile = 0; tile < cluster.Fibers; tile++)
        {
            if (cluster.Tiles[tile].StepsEnded == cluster.Steps) continue;
            throw new InvalidOperationException(
                $"The finally of fiber {tile} ran {cluster.Tiles[tile].StepsEnded} times in " +
                $"{cluster.Steps} steps.");
        }

        long interactions = 0;
        for (int worker = 0; worker < cluster.Threads; worker++) interactions += cluster.Interactions[worker];
        long expected = cluster.Mass.Length * cluster.Bodies * (cluster.Steps + 1);
        if (interactions != expected)
            throw new InvalidOperationException($"{interactions} interactions were counted, not {expected}.");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{cluster.Fibers} fibers of {cluster.Threads} threads, {cluster.Steps} steps, " +
            $"{interactions:N0} interactions; total energy {cluster.Last.Total:F9}, " +
            $"relative drift {cluster.Last.DriftFrom(cluster.First):E3}.");
    }
}
