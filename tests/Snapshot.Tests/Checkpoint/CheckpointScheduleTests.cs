using Xunit;

namespace Snapshot.Tests.Checkpoint;

/// <summary>When a checkpoint is due.</summary>
public sealed class CheckpointScheduleTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void By_steps_one_is_due_at_each_multiple_and_after_one_that_was_passed()
    {
        CheckpointSchedule schedule = new(CheckpointInterval.EverySteps(10), _time);
        Assert.Equal(
            [10, 20, 30],
            Enumerable.Range(3, 30).Where(step =>
            {
                bool isDue = schedule.IsDue(step);
                if (isDue) schedule.Begin(step);
                return isDue;
            }));
        Assert.True(schedule.IsDue(47));
        schedule.Begin(47);
        Assert.False(schedule.IsDue(49));
        Assert.True(schedule.IsDue(50));
    }

    [Fact]
    public void A_restart_at_a_multiple_takes_none_again_before_the_next()
    {
        CheckpointSchedule schedule = new(CheckpointInterval.EverySteps(10), _time);
        Assert.False(schedule.IsDue(21));
        Assert.False(schedule.IsDue(29));
        Assert.True(schedule.IsDue(30));
    }

    [Fact]
    public void By_time_one_is_due_an_interval_after_the_last_began()
    {
        CheckpointSchedule schedule = new(CheckpointInterval.Every(TimeSpan.FromSeconds(5)), _time);
        Assert.Equal(TimeSpan.FromSeconds(5), schedule.Interval);
        _time.Advance(4.9);
        Assert.False(schedule.IsDue(0));
        _time.Advance(0.1);
        Assert.True(schedule.IsDue(0));
        schedule.Begin(0);
        schedule.End(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(100));
        Assert.False(schedule.IsDue(0));
        Assert.Equal(TimeSpan.FromSeconds(5), schedule.Interval);
    }

    /// <summary>Six hours between failures: 10 ms felt give 20.8 s by Young's formula.</summary>
    [Theory]
    [InlineData(0.010, 0.5, 20.785)]
    [InlineData(0.010, 30, 60)]
    [InlineData(1, 2, 207.846)]
    public void From_a_mean_time_between_failures_follows_Youngs_interval_or_twice_the_time_to_be_durable(
        double felt, double untilDurable, double expected)
    {
        CheckpointSchedule schedule = new(CheckpointInterval.Auto(TimeSpan.FromHours(6)), _time);
        Assert.Equal(TimeSpan.FromMinutes(1), schedule.Interval);
        schedule.End(TimeSpan.FromSeconds(felt), TimeSpan.FromSeconds(untilDurable));
        Assert.Equal(expected, schedule.Interval.TotalSeconds, 0.001);
    }

    [Fact]
    public void What_is_no_interval_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointInterval.EverySteps(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointInterval.Every(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointInterval.Auto(TimeSpan.FromSeconds(-1)));
        Assert.Throws<ArgumentNullException>(() => new CheckpointSchedule(null!));
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 10_000_000;

        public override long GetTimestamp() => _now;

        internal void Advance(double seconds) => _now += (long)(seconds * TimestampFrequency);
    }
}
