using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>When a checkpoint is due: by an interval, a signal, or the end of the job's time.</summary>
/// <remarks>Thread-safe. Times are in milliseconds since the machine was started.</remarks>
internal sealed class DueClock
{
    private static readonly TimeSpan s_defaultMargin = TimeSpan.FromMinutes(1);

    private readonly long _interval; // 0: none
    private readonly bool _watchesSignals;
    private long _lastCheckpoint = Environment.TickCount64;
    private long _limit; // long.MaxValue: none, or told
    private int _lastSignal;

    /// <param name="options">Times in seconds.</param>
    /// <param name="signals">Signals by name, or null.</param>
    /// <exception cref="ArgumentException">A time is negative; a signal is not known.</exception>
    internal DueClock(in COptions options, string? signals)
    {
        _interval = (long)Seconds.Of(options.Interval, "interval").TotalMilliseconds;
        TimeSpan limit = Seconds.Of(options.TimeLimit, "time_limit");
        TimeSpan margin = Seconds.OrNull(options.TimeMargin, "time_margin") ?? s_defaultMargin;
        _limit = limit == TimeSpan.Zero
            ? long.MaxValue
            : _lastCheckpoint + Math.Max(0, (long)(limit - margin).TotalMilliseconds);
        foreach (int number in SignalNames.Parse(signals ?? ""))
        {
            int errno = LibraryNative.sn_signal_watch(number);
            if (errno != 0) throw new ArgumentException($"Signal {number} cannot be caught (errno {errno}).");
            _watchesSignals = true;
        }
    }

    /// <summary>The signal that <see cref="Due"/> told last; 0 for none.</summary>
    internal int LastSignal => Volatile.Read(ref _lastSignal);

    /// <summary>What makes a checkpoint due; signals and the limit once.</summary>
    internal DueBits Due()
    {
        long now = Environment.TickCount64;
        DueBits due = DueBits.None;
        if (_interval > 0 && now - Volatile.Read(ref _lastCheckpoint) >= _interval) due |= DueBits.Interval;
        if (TakeSignal()) due |= DueBits.Signal;
        if (now >= Volatile.Read(ref _limit) &&
            Interlocked.Exchange(ref _limit, long.MaxValue) != long.MaxValue)
            due |= DueBits.Limit;
        return due;
    }

    /// <summary>A checkpoint was captured: the interval begins anew.</summary>
    internal void Captured() => Volatile.Write(ref _lastCheckpoint, Environment.TickCount64);

    /// <summary>Whether one of the signals has come; true once.</summary>
    internal bool TakeSignal()
    {
        if (!_watchesSignals) return false;
        int number = LibraryNative.sn_signal_take();
        if (number == 0) return false;
        Volatile.Write(ref _lastSignal, number);
        return true;
    }
}
