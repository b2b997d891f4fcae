namespace Snapshot.Tests.Image;

/// <summary>A clock that stands still until a test moves it to the moment that somebody waits for.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private readonly object _gate = new();
    private readonly List<Waiter> _waiters = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waiter waiter = new(this, () => callback(state));
        waiter.Change(dueTime, period);
        return waiter;
    }

    /// <summary>Returns when somebody waits for the clock.</summary>
    internal void AwaitWaiter()
    {
        lock (_gate)
        {
            while (_waiters.Count == 0) Monitor.Wait(_gate);
        }
    }

    /// <summary>Moves the clock to the next moment that somebody waits for; false when nobody does.</summary>
    internal bool Step()
    {
        Waiter? first;
        lock (_gate)
        {
            first = _waiters.MinBy(waiter => waiter.Due);
            if (first is null) return false;
            _waiters.Remove(first);
            Volatile.Write(ref _now, Math.Max(_now, first.Due));
        }

        first.Fire();
        return true;
    }

    private sealed class Waiter(SteppedTime time, Action fire) : ITimer
    {
        internal long Due { get; private set; }

        internal void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._waiters.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._now + dueTime.Ticks;
                time._waiters.Add(this);
                Monitor.PulseAll(time._gate);
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate) time._waiters.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
