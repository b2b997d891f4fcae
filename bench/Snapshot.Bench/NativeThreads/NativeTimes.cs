namespace Snapshot.Bench;

/// <summary>What a process with native threads saw of its checkpoints.</summary>
/// <param name="GatherMs">From the request to stop until all were parked, median.</param>
/// <param name="LongestGatherMs">The longest.</param>
/// <param name="PauseMs">The whole pause, median.</param>
/// <param name="ChangedBytes">Bytes of pages that an increment has, median.</param>
/// <param name="LostMs">
/// Time of all processors that a checkpoint takes from the threads: how much less they compute while
/// checkpoints are taken, over the number of these.
/// </param>
internal sealed record NativeTimes(
    double GatherMs, double LongestGatherMs, double PauseMs, long ChangedBytes, double LostMs);

/// <summary>What a restart took, in milliseconds.</summary>
/// <param name="OpenMs">From opening the store to a session with its memory and its module.</param>
/// <param name="StartMs">From there until each thread had been given to the kernel to run.</param>
/// <param name="AllMs">Until each had computed.</param>
internal sealed record NativeRestartTimes(double OpenMs, double StartMs, double AllMs);
