using System.Diagnostics;

namespace Snapshot.Memory.Locks;

/// <summary>The moment at which a wait gives up.</summary>
internal readonly struct Deadline
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // In Stopwatch ticks; negative: never.
    private readonly long _at;

    private Deadline(long at) => _at = at;

    internal static Deadline Never => new(-1);

    /// <exception cref="ArgumentOutOfRangeException">
    /// Negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </exception>
    internal static Deadline After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return Never;
        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        double ticks = timeout.TotalSeconds * Stopwatch.Frequency;
        return ticks >= long.MaxValue / 2 ? Never : new Deadline(Stopwatch.GetTimestamp() + (long)ticks);
    }

    /// <summary>
    /// What <see cref="Base.LockOwner.Wait"/> takes: nanoseconds from now, 0 when past, negative for never.
    /// </summary>
    internal long RemainingNanoseconds
    {
        get
        {
            if (_at < 0) return -1;
            double seconds = Math.Max(0, _at - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency;
            return (long)Math.Min(seconds * NanosecondsPerSecond, long.MaxValue / 2);
        }
    }
}
