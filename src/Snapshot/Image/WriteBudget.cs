namespace Snapshot.Image;

/// <summary>
/// Holds writes back so that there are no more bytes a second than allowed: a write begins when those before
/// it would have ended at that rate. What was not used is not saved up, so after a rest there is no burst.
/// Thread-safe.
/// </summary>
internal sealed class WriteBudget(long bytesPerSecond, TimeProvider time)
{
    private readonly object _gate = new();
    private long _next = time.GetTimestamp();
    private bool _aborted;

    /// <summary>Waits until a write may begin. Returns false at once after an abort.</summary>
    internal bool Wait(long bytes)
    {
        lock (_gate)
        {
            long start = Math.Max(_next, time.GetTimestamp());
            _next = start + (long)((Int128)bytes * time.TimestampFrequency / bytesPerSecond);
            ITimer? timer = null;
            while (!_aborted && time.GetTimestamp() is var now && now < start)
            {
                // A timer may be early by its own resolution: then once more.
                double left = Math.Ceiling(time.GetElapsedTime(now, start).TotalMilliseconds);
                timer ??= time.CreateTimer(
                    _ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                timer.Change(TimeSpan.FromMilliseconds(left), Timeout.InfiniteTimeSpan);
                Monitor.Wait(_gate);
            }

            timer?.Dispose();
            return !_aborted;
        }
    }

    /// <summary>Nobody waits any more.</summary>
    internal void Abort()
    {
        lock (_gate)
        {
            _aborted = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Wake()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }
}
