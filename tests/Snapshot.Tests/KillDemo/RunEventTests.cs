using KillDemo;
using Xunit;

namespace Snapshot.Tests.KillDemo;

/// <summary>What runs say and what the demo makes of it.</summary>
public sealed class RunEventTests
{
    private static readonly RunEvent.Committed s_image = new(7, 6, 260, 1064960, 839680, 0.5, 20.25, 3);

    public static TheoryData<object> Events => new(
        new RunEvent.Started(null, 0),
        new RunEvent.Started(3, 600),
        new RunEvent.Progressed(40),
        new RunEvent.Captured(7),
        s_image,
        new RunEvent.Finished("00ff", "ff00"),
        new RunEvent.Finished("00ff", "ff00", "as it should be"));

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_survives_its_line(object happened)
    {
        string line = ((RunEvent)happened).ToLine();
        Assert.DoesNotContain('\n', line);
        Assert.EndsWith("}", line, StringComparison.Ordinal);
        Assert.Equal(happened, RunEvent.FromLine(line));
    }

    [Fact]
    public void The_report_sums_generations_and_sorts_pauses()
    {
        DemoLedger ledger = new();
        foreach (double pause in (double[])[3, 1, 2]) ledger.Take(s_image with { PauseMs = pause });
        ledger.TakeKill(KillTarget.Drain);
        ledger.TakeKill(KillTarget.Restart);
        RunEvent.Finished result = new("a", "b");
        DemoReport report = ledger.Report(result, result, TimeSpan.FromSeconds(2), "/out.pgm");
        Assert.True(report.Equal);
        Assert.Equal((2, 1, 1), (report.Kills, report.KillsInRestart, report.KillsInDrain));
        Assert.Equal((2.0, 3.0), (report.PauseMsMedian, report.PauseMsMax));
        Assert.Equal(
            (3, 3 * 839680L, 3 * 1064960L), (report.Generations, report.BytesWritten, report.BytesChanged));
        Assert.False(ledger.Report(result with { ResultsChecksum = "c" }, result, default, "").Equal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_moments()
    {
        KillMoment[] first = Moments(5), again = Moments(5), other = Moments(6);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(3, first.Select(moment => moment.Target).Distinct().Count());

        static KillMoment[] Moments(int seed)
        {
            KillPlan plan = new(seed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
            return [.. Enumerable.Range(0, 30).Select(_ => plan.Next())];
        }
    }
}
