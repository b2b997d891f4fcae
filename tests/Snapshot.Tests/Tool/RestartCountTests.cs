using Snapshot.Tool.Supervision;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>How often and after which wait, as docs/TOOL.md says it.</summary>
public sealed class RestartCountTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(9);

    [Fact]
    public void Waits_double_up_to_the_longest_until_the_restarts_are_used_up()
    {
        RestartCount count = Count(most: 5);
        Assert.Equal(
            [1, 2, 4, 8, 8, null], Enumerable.Range(0, 6).Select(_ => Seconds(count, s_short, false)));
        Assert.Equal(5, count.Used);
        Assert.Null(count.Next(s_short, false));
    }

    [Fact]
    public void A_new_generation_begins_the_count_and_the_waits_anew()
    {
        RestartCount count = Count(most: 2);
        Assert.Equal(
            [1, 2, 1, 1, 1, 2, null],
            "--+++--".Select(progress => Seconds(count, s_short, progress == '+')));
        Assert.Equal(1, Seconds(count, s_short, true));
    }

    [Fact]
    public void A_long_life_begins_the_waits_anew_but_not_the_count()
    {
        RestartCount count = Count(most: 4);
        Assert.Equal(
            [1, 2, 1, 2, null],
            new[] { s_short, s_short, s_long, s_short, s_long }.Select(
                lasted => Seconds(count, lasted, false)));
    }

    [Fact]
    public void The_longest_wait_is_never_less_than_the_first()
    {
        RestartCount count = new(3, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(8));
        Assert.Equal([20, 20, 20, null], Enumerable.Range(0, 4).Select(_ => Seconds(count, s_short, false)));
    }

    [Fact]
    public void Without_restarts_the_first_death_is_the_last_also_after_progress() =>
        Assert.Null(Count(most: 0).Next(s_long, true));

    [Theory]
    [InlineData(0, "ended well", false, false)]
    [InlineData(1, "ended with exit code 1", true, false)]
    [InlineData(126, "ended with exit code 126", false, false)]
    [InlineData(127, "ended with exit code 127", false, false)]
    [InlineData(128, "ended with exit code 128", true, false)]
    [InlineData(129, "was ended by SIGHUP", false, false)]
    [InlineData(130, "was ended by SIGINT", false, false)]
    [InlineData(134, "was ended by SIGABRT", true, true)]
    [InlineData(137, "was ended by SIGKILL", true, true)]
    [InlineData(139, "was ended by SIGSEGV", true, true)]
    [InlineData(143, "was ended by SIGTERM", false, false)]
    [InlineData(159, "was ended by SIGSYS", true, true)]
    [InlineData(192, "was ended by signal 64", true, true)]
    [InlineData(193, "ended with exit code 193", true, false)]
    [InlineData(255, "ended with exit code 255", true, false)]
    public void Signals_and_exit_codes_are_told_apart(
        int exitCode, string words, bool isDeath, bool isKilling)
    {
        Ending ending = new(exitCode);
        Assert.Equal(
            (words, isDeath, isKilling),
            (ending.Words, ending.IsDeath(onlySignals: false), ending.IsDeath(onlySignals: true)));
    }

    private static RestartCount Count(int most) =>
        new(most, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8));

    private static double? Seconds(RestartCount count, TimeSpan lasted, bool hasProgressed) =>
        count.Next(lasted, hasProgressed)?.TotalSeconds;
}
