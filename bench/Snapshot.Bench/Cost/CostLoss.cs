namespace Snapshot.Bench;

/// <summary>
/// Where the time of the computing threads went in one run, in seconds, the mean of the threads. What a run
/// with checkpoints has more than one without is what they lost, by cause.
/// </summary>
internal sealed record CostLoss
{
    internal double All => Computing + InKernel + Queued + Paused + Held;

    /// <summary>
    /// In the program itself: it is longer where caches, bandwidth and page tables serve it worse.
    /// </summary>
    internal required double Computing { get; init; }

    /// <summary>In the kernel on its behalf: faults.</summary>
    internal required double InKernel { get; init; }

    /// <summary>Ready to run, while the processors did something else.</summary>
    internal required double Queued { get; init; }

    /// <summary>Stopped for a capture, as the checkpoints tell it.</summary>
    internal required double Paused { get; init; }

    /// <summary>Asleep for another reason: a write waits until its page may be written.</summary>
    internal required double Held { get; init; }

    internal static CostLoss Of(IReadOnlyCollection<ThreadTime> threads, IReadOnlyList<SnapshotInfo> infos)
    {
        double paused = infos.Sum(info => info.Capture.Pause.Total.TotalSeconds);
        return new CostLoss
        {
            Computing = threads.Average(time => time.Processor.UserMs) / 1e3,
            InKernel = threads.Average(time => time.Processor.SystemMs) / 1e3,
            Queued = threads.Average(time => time.QueuedMs) / 1e3,
            Paused = paused,
            Held = threads.Average(time => time.BlockedMs) / 1e3 - paused,
        };
    }
}
