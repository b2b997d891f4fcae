using Snapshot.Base;

namespace Snapshot;

/// <summary>How often a program takes checkpoints; <see cref="CheckpointSchedule"/> counts.</summary>
public sealed class CheckpointInterval
{
    private CheckpointInterval(long steps, TimeSpan time, TimeSpan meanTimeBetweenFailures)
    {
        Steps = steps;
        Time = time;
        MeanTimeBetweenFailures = meanTimeBetweenFailures;
    }

    /// <summary>Steps of the program from one to the next, or 0.</summary>
    internal long Steps { get; }

    /// <summary>Time from one to the next, or zero.</summary>
    internal TimeSpan Time { get; }

    /// <summary>The mean time between failures from which the interval follows, or zero.</summary>
    internal TimeSpan MeanTimeBetweenFailures { get; }

    /// <summary>One at each step that the number divides.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static CheckpointInterval EverySteps(long steps) =>
        new(OptionValue.AtLeast(steps, 1, nameof(steps)), default, default);

    /// <summary>One each time that so much has passed since the last one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public static CheckpointInterval Every(TimeSpan time) =>
        new(0, OptionValue.Positive(time, nameof(time)), default);

    /// <summary>
    /// As often as loses the least time: √(2·δ·M), where δ is the time that a checkpoint took from the
    /// program and M the mean time between failures, but not before twice the time has passed that a
    /// checkpoint takes to become durable.
    /// </summary>
    /// <remarks>
    /// J. W. Young, A first order approximation to the optimum checkpoint interval, CACM 17 (1974). Daly's
    /// terms of higher order matter where δ is more than a fiftieth of M. The first checkpoint is due after
    /// a minute.
    /// </remarks>
    /// <param name="meanTimeBetweenFailures">Of all that the program runs on: that of one host by the number
    /// of hosts.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public static CheckpointInterval Auto(TimeSpan meanTimeBetweenFailures) =>
        new(0, default, OptionValue.Positive(meanTimeBetweenFailures, nameof(meanTimeBetweenFailures)));
}
