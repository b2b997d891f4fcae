using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>One run of the work, in a session of its own.</summary>
internal sealed record ComputationRun
{
    internal required double Seconds { get; init; }

    /// <summary>Of the threads that compute.</summary>
    internal required ProcessorTime Participants { get; init; }

    /// <summary>Of all other threads: drains and what the runtime does.</summary>
    internal required ProcessorTime Others { get; init; }

    /// <summary>How long each step took.</summary>
    internal required StepTimes Steps { get; init; }

    /// <summary>Checkpoints captured while it ran.</summary>
    internal required IReadOnlyList<ComputationCheckpoint> Checkpoints { get; init; }

    /// <summary>
    /// By how much a checkpoint made the steps longer that overlap with it, in milliseconds.
    /// </summary>
    internal IEnumerable<double> CostsMs
    {
        get
        {
            double undisturbed = Steps.MedianMs(Checkpoints);
            return Checkpoints.Select(checkpoint => Steps.ExcessMs(checkpoint, undisturbed));
        }
    }

    internal static ComputationRun Of(
        InterferenceSetup setup, Disturbance disturbance, CaptureMode mode, long steps)
    {
        using StoreFolder folder = new(setup.Directory);
        using SnapshotSession session = SnapshotSession.Create(folder.Path, new SnapshotOptions
        {
            Capture = mode,
            Encoding = setup.Encoding,
            Tuning = new SnapshotTuning
            {
                StagingLimit = Math.Max(new SnapshotTuning().StagingLimit, setup.ArenaBytes + (1L << 30)),
            },
            Store = StoreFolder.NewestOnly,
        });
        Arena arena =
            session.OpenArena("bench", new ArenaOptions { Capacity = setup.ArenaBytes + (256L << 20) });
        using ComputationThreads threads = new(
            session, Computation.Create(setup.Computation, arena, setup.ArenaBytes, setup.Threads),
            setup.Threads);
        threads.Fill();
        if (disturbance != Disturbance.None) session.RequestCheckpoint().WaitCommittedInThread();
        if (disturbance is Disturbance.Settled or Disturbance.Checkpoints) threads.Fill();

        ProcessorTime before = ProcessorTime.OfProcess();
        long started = Stopwatch.GetTimestamp();
        threads.Begin(steps);
        List<ComputationCheckpoint> checkpoints = disturbance == Disturbance.Checkpoints
            ? TakeCheckpoints(session, threads, setup.Every, started)
            : [];
        threads.WaitDone();
        double seconds = Stopwatch.GetElapsedTime(started, threads.Ended).TotalSeconds;
        ProcessorTime process = ProcessorTime.OfProcess() - before;
        return new ComputationRun
        {
            Seconds = seconds,
            Participants = threads.Time,
            Others = process - threads.Time,
            Steps = new StepTimes(threads.Stamps),
            Checkpoints = checkpoints,
        };
    }

    /// <summary>
    /// Asks for a checkpoint at every interval until the work is done; one that lasts longer is waited for.
    /// The last, when the work ends before it is captured, does not count.
    /// </summary>
    private static List<ComputationCheckpoint> TakeCheckpoints(
        SnapshotSession session, ComputationThreads threads, TimeSpan every, long started)
    {
        List<ComputationCheckpoint> checkpoints = [];
        for (TimeSpan due = every; !threads.IsDoneWithin(Until(due)); due = Later(due, Now()) + every)
        {
            long requested = Stopwatch.GetTimestamp();
            CheckpointTicket ticket = session.RequestCheckpoint();
            bool isOver = Task.WaitAny(ticket.Committed, threads.Done) == 1;
            bool counts = !isOver || ticket.Captured.IsCompleted;
            SnapshotInfo info = ticket.WaitCommittedInThread();
            if (counts) checkpoints.Add(new ComputationCheckpoint(requested, Stopwatch.GetTimestamp(), info));
        }

        return checkpoints;

        TimeSpan Now() => Stopwatch.GetElapsedTime(started);

        TimeSpan Until(TimeSpan due) => Later(due - Now(), TimeSpan.Zero);
    }

    private static TimeSpan Later(TimeSpan left, TimeSpan right) => left > right ? left : right;
}

/// <param name="Requested">When it was asked for, a timestamp.</param>
/// <param name="Committed">When it had ended.</param>
/// <param name="Info">What it did.</param>
internal sealed record ComputationCheckpoint(long Requested, long Committed, SnapshotInfo Info);
