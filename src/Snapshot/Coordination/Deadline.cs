using System.Diagnostics;

namespace Snapshot.Coordination;

/// <summary>A point in monotonic time, or none.</summary>
internal readonly struct Deadline
{
    private readonly long _timestamp;

    private Deadline(long timestamp) => _timestamp = timestamp;

    internal bool HasPassed => Stopwatch.GetTimestamp() >= _timestamp;

    /// <summary>Not negative; <see cref="Timeout.InfiniteTimeSpan"/> when there is none.</summary>
    internal TimeSpan Remaining
    {
        get
        {
            if (_timestamp == long.MaxValue)
                return Timeout.InfiniteTimeSpan;
            long now = Stopwatch.GetTimestamp();
            return now >= _timestamp ? TimeSpan.Zero : Stopwatch.GetElapsedTime(now, _timestamp);
        }
    }

    /// <param name="timeout">Not negative, or <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    internal static Deadline After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
            return new Deadline(long.MaxValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        return new Deadline(Stopwatch.GetTimestamp() + (long)(timeout.TotalSeconds * Stopwatch.Frequency));
    }
}
