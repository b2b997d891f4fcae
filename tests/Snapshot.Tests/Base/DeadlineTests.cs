using System.Diagnostics;
using Snapshot.Base;
using Xunit;

namespace Snapshot.Tests.Base;

public sealed class DeadlineTests
{
    [Fact]
    public void No_time_at_all_has_passed_at_once()
    {
        Deadline deadline = Deadline.After(TimeSpan.Zero);
        Assert.True(deadline.HasPassed);
        Assert.Equal((TimeSpan.Zero, 0L), (deadline.Remaining, deadline.RemainingNanoseconds));
    }

    [Fact]
    public void What_is_left_shrinks_from_the_timeout_on()
    {
        TimeSpan timeout = TimeSpan.FromHours(1);
        long began = Stopwatch.GetTimestamp();
        Deadline deadline = Deadline.After(timeout);
        TimeSpan left = deadline.Remaining;
        long nanoseconds = deadline.RemainingNanoseconds;
        TimeSpan spent = Stopwatch.GetElapsedTime(began) + TimeSpan.FromMilliseconds(1);
        Assert.False(deadline.HasPassed);
        Assert.InRange(left, timeout - spent, timeout);
        Assert.InRange(TimeSpan.FromMicroseconds(nanoseconds / 1000), timeout - spent, timeout);
    }

    [Fact]
    public void Without_a_timeout_it_never_passes()
    {
        Deadline never = Deadline.After(Timeout.InfiniteTimeSpan);
        Assert.Equal(Deadline.Never, never);
        Assert.False(never.HasPassed);
        Assert.Equal((Timeout.InfiniteTimeSpan, -1L), (never.Remaining, never.RemainingNanoseconds));
    }

    [Fact]
    public void The_longest_timeout_does_not_wrap_into_the_past()
    {
        Deadline deadline = Deadline.After(TimeSpan.MaxValue);
        Assert.False(deadline.HasPassed);
        Assert.Equal(-1L, deadline.RemainingNanoseconds);
    }

    [Fact]
    public void A_negative_timeout_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Deadline.After(TimeSpan.FromTicks(-1)));
}
