namespace Snapshot;

/// <summary>
/// Tells a program when its next checkpoint is due, by a <see cref="CheckpointInterval"/>.
/// </summary>
/// <remarks>
/// Thread-safe. The program asks <see cref="IsDue"/> where it could take one, says <see cref="Begin"/> when
/// it takes one, and <see cref="End"/> with what that cost.
/// </remarks>
public sealed class CheckpointSchedule
{
    /// <summary>What an interval from a mean time between failures begins with.</summary>
    private static readonly TimeSpan s_first = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly CheckpointInterval _interval;
    private readonly TimeProvider _clock;
    private TimeSpan _time;
    private long _last;
    private long? _lastStep;

    /// <summary>Begins now.</summary>
    /// <param name="interval">How often.</param>
    /// <param name="clock">Where the time comes from, or null for the machine.</param>
    public CheckpointSchedule(CheckpointInterval interval, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(interval);
        _interval = interval;
        _clock = clock ?? TimeProvider.System;
        _time = interval.MeanTimeBetweenFailures > TimeSpan.Zero ? s_first : interval.Time;
        _last = _clock.GetTimestamp();
    }

    /// <summary>
    /// The time from one checkpoint to the next as it is now, or zero where steps are counted.
    /// </summary>
    public TimeSpan Interval
    {
        get
        {
            lock (_gate) return _time;
        }
    }

    /// <summary>Whether one is due. A step that was passed without being asked about counts, too.</summary>
    /// <param name="step">The step the program is at; any number where no steps are counted.</param>
    public bool IsDue(long step)
    {
        lock (_gate)
        {
            if (_interval.Steps == 0) return _clock.GetElapsedTime(_last) >= _time;
            _lastStep ??= step - 1;
            return Math.DivRem(step, _interval.Steps).Quotient > Math.DivRem(
                _lastStep.Value, _interval.Steps).Quotient;
        }
    }

    /// <summary>A checkpoint begins at a step: the next is due an interval later.</summary>
    /// <param name="step">The step the program is at.</param>
    public void Begin(long step)
    {
        lock (_gate)
        {
            _last = _clock.GetTimestamp();
            _lastStep = step;
        }
    }

    /// <summary>A checkpoint is durable.</summary>
    /// <param name="felt">The time that it took from the program.</param>
    /// <param name="untilDurable">The time from its beginning until a restart would take it.</param>
    public void End(TimeSpan felt, TimeSpan untilDurable)
    {
        if (_interval.MeanTimeBetweenFailures == TimeSpan.Zero) return;
        double young = Math.Sqrt(2 * felt.TotalSeconds * _interval.MeanTimeBetweenFailures.TotalSeconds);
        lock (_gate) _time = TimeSpan.FromSeconds(Math.Max(young, 2 * untilDurable.TotalSeconds));
    }
}
