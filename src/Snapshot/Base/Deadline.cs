using System.Diagnostics;

namespace Snapshot.Base;

/// <summary>The moment at which a wait gives up, or none. A length of time is a timeout.</summary>
internal readonly struct Deadline
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // In Stopwatch ticks; the largest: never.
    private readonly long _at;

    private Deadline(long at) => _at = at;

    internal static Deadline Never => new(long.MaxValue);

    internal bool HasPassed => Stopwatch.GetTimestamp() >= _at;

    /// <summary>Not negative; <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    internal TimeSpan Remaining
    {
        get
        {
            if (_at == long.MaxValue) return Timeout.InfiniteTimeSpan;
            long now = Stopwatch.GetTimestamp();
            return now >= _at ? TimeSpan.Zero : Stopwatch.GetElapsedTime(now, _at);
        }
    }

    /// <summary>
    /// What <see cref="LockOwner.Wait"/> takes: nanoseconds from now, 0 when past, negative for never.
    /// </summary>
    internal long RemainingNanoseconds
    {
        get
        {
            if (_at == long.MaxValue) return -1;
            double seconds = Math.Max(0, _at - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency;
            return (long)Math.Min(seconds * NanosecondsPerSecond, long.MaxValue / 2);
        }
    }

    /// <param name="timeout">From now.</param>
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
}
