using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>
/// How long each step of a run took. What a checkpoint costs is found within one run, by the steps it
/// overlaps with against the others: two runs of the same work differ by more than that from each other.
/// </summary>
/// <param name="stamps">When the first step began, and when each ended.</param>
internal sealed class StepTimes(IReadOnlyList<long> stamps)
{
    /// <summary>Of so many steps a median can be taken.</summary>
    private const int Enough = 8;

    internal int Count => stamps.Count - 1;

    /// <summary>How long a step takes that no checkpoint overlaps with.</summary>
    internal double MedianMs(IReadOnlyList<ComputationCheckpoint> checkpoints)
    {
        double[] alone = [.. Enumerable.Range(0, Count)
            .Where(step => !checkpoints.Any(checkpoint => Overlaps(step, checkpoint)))
            .Select(Milliseconds)];
        if (alone.Length >= Enough) return Figures.Median(alone);
        throw new RequirementException(
            $"Checkpoints overlap with {Count - alone.Length} of {Count} steps, which leaves too few without",
            "choose a larger --every.");
    }

    /// <summary>By how much the steps that overlap with a checkpoint took longer than others.</summary>
    internal double ExcessMs(ComputationCheckpoint checkpoint, double undisturbed) =>
        Enumerable.Range(0, Count)
            .Where(step => Overlaps(step, checkpoint)).Sum(step => Milliseconds(step) - undisturbed);

    /// <summary>By how much the first steps took longer than others.</summary>
    internal double ExcessAtFirstMs(int steps) =>
        Enumerable.Range(0, Math.Min(steps, Count)).Sum(Milliseconds) -
        (Math.Min(steps, Count) * MedianMs([]));

    private double Milliseconds(int step) =>
        Stopwatch.GetElapsedTime(stamps[step], stamps[step + 1]).TotalMilliseconds;

    private bool Overlaps(int step, ComputationCheckpoint checkpoint) =>
        stamps[step] < checkpoint.Committed && checkpoint.Requested < stamps[step + 1];
}
