using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>Simulated jobs whose every event can be reckoned by hand.</summary>
public sealed class JobSimulationTests
{
    private const double Rounding = 1e-6;

    // The first capture is at 16 and published at 20, the second at 32.5 and published at 36.5.
    private static readonly SimulatedJob s_job = new()
    {
        Hosts = 8,
        HostMtbf = 1,
        Work = 1024,
        Interval = 16,
        Felt = 0.5,
        Publish = 4,
        PartnerCopy = 8,
        SharedCopy = 12,
        Renew = 100,
        RestartOwn = 10,
        RestartPartner = 20,
        RestartShared = 40,
        Replace = 5,
    };

    private static readonly SimulatedJob s_levels = s_job with { Partner = true, Shared = true };

    [Fact]
    public void Without_failures_checkpoints_cost_what_they_take()
    {
        SimulatedTimes times = Run(s_job with { Publish = 0.5 });
        Assert.Equal(1 / (1 + 0.5 / 16), times.Useful / times.Wall);
        Assert.Equal((1024, 32, 0), (times.Useful, times.Felt, times.Waiting));
        Assert.Equal((64, 0), (times.Checkpoints, times.Failures));
    }

    [Fact]
    public void A_job_waits_for_its_last_generation_and_for_no_other()
    {
        SimulatedTimes times = Run(s_job);
        Assert.Equal(1024 + 32 + 3.5, times.Wall);
        Assert.Equal(3.5, times.Waiting);
    }

    [Fact]
    public void A_checkpoint_begins_when_the_one_before_is_published()
    {
        // Captured at 1, 4.5, 8 … 32.5 of 35, four seconds apart; then the end, which waits for its turn.
        SimulatedTimes times = Run(s_job with { Work = 35, Interval = 1 });
        Assert.Equal((11, 45, 5.5), (times.Checkpoints, times.Wall, times.Felt));
        Assert.Equal(1 + 3.5, times.Waiting);
    }

    [Theory]
    [InlineData(10, 10)] // nothing is published yet
    [InlineData(19, 18.5)]
    [InlineData(36, 19)] // captured, not published: to the one before
    [InlineData(37, 4)]
    public void A_restart_takes_the_newest_published_generation(double failure, double lost)
    {
        SimulatedTimes times = Run(s_job, new HostFailure(failure, 3, LostDisks: 0));
        Assert.Equal(lost, times.Lost(RestartSource.Own));
        Assert.Equal((10, 3.5), (times.Restart, times.Waiting));
        AssertAllTimeIsAccountedFor(times);
    }

    [Theory]
    [InlineData(27, 26.5, RestartSource.Beginning)]
    [InlineData(29, 12.5, RestartSource.Partner)] // copied at 28
    [InlineData(37, 20, RestartSource.Partner)] // the second is published, and its copy is not made
    [InlineData(45, 12, RestartSource.Partner)] // it is
    public void A_lost_host_has_what_its_partner_has(double failure, double lost, object source)
    {
        SimulatedTimes times = Run(s_job with { Partner = true }, new HostFailure(failure, 3, LostDisks: 1));
        Assert.Equal(lost, times.Lost((RestartSource)source));
        Assert.Equal(5 + 3.5, times.Waiting);
        Assert.Equal((RestartSource)source == RestartSource.Partner ? 20 : 10, times.Restart);
        AssertAllTimeIsAccountedFor(times);
    }

    [Theory]
    [InlineData(7, 31, RestartSource.Beginning)] // the ring closes: the partner of 7 is 0
    [InlineData(3, 31, RestartSource.Beginning)]
    [InlineData(3, 33, RestartSource.Shared)] // copied at 32
    public void A_pair_lost_together_has_what_the_shared_directory_has(
        int host, double failure, object source)
    {
        SimulatedTimes times = Run(s_levels, new HostFailure(failure, host, LostDisks: 2));
        Assert.Equal(1, times.Restarts((RestartSource)source));
        Assert.Equal((RestartSource)source == RestartSource.Shared ? 40 : 10, times.Restart);
        SimulatedTimes alone = Run(
            s_levels with { Shared = false }, new HostFailure(failure, host, LostDisks: 2));
        Assert.Equal(1, alone.Restarts(RestartSource.Beginning));
    }

    [Theory]
    [InlineData(4, 110, RestartSource.Shared)] // the partner of the host that is being restored
    [InlineData(2, 110, RestartSource.Shared)] // its partner is the host that is being restored
    [InlineData(5, 110, RestartSource.Partner)] // neither
    [InlineData(2, 150, RestartSource.Shared)] // restored at 125, its copies there renewed at 225
    [InlineData(4, 150, RestartSource.Partner)] // what it was partner of is restored
    [InlineData(2, 235, RestartSource.Partner)]
    public void A_second_host_is_lost_before_copies_are_whole(int second, double time, object source)
    {
        RestartSource expected = (RestartSource)source;
        SimulatedTimes times = Run(
            s_levels, new HostFailure(100, 3, LostDisks: 1), new HostFailure(time, second, LostDisks: 1));
        Assert.Equal(2, times.Failures);
        Assert.Equal(expected == RestartSource.Partner ? 2 : 1, times.Restarts(RestartSource.Partner));
        Assert.Equal(expected == RestartSource.Shared ? 1 : 0, times.Restarts(RestartSource.Shared));
        Assert.Equal(0, times.Restarts(RestartSource.Beginning));
        AssertAllTimeIsAccountedFor(times);
    }

    [Fact]
    public void Renewal_that_a_failure_ends_begins_anew()
    {
        // Restored at 125; killed at 200, restored from own disks at 210, so renewed at 310 and not at 225.
        SimulatedJob job = s_job with { Partner = true };
        HostFailure first = new(100, 3, LostDisks: 1), kill = new(200, 6, LostDisks: 0);
        HostFailure last = new(300, 2, LostDisks: 1);
        Assert.Equal(1, Run(job, first, kill, last).Restarts(RestartSource.Beginning));
        Assert.Equal(2, Run(job, first, last).Restarts(RestartSource.Partner));
        Assert.Equal(2, Run(job, first, kill, last with { Time = 311 }).Restarts(RestartSource.Partner));
    }

    [Fact]
    public void A_host_that_is_away_does_not_fail_and_one_that_is_back_does()
    {
        // Away from 100 to 105; the restart would have ended at 125.
        SimulatedTimes times = Run(
            s_levels, new HostFailure(100, 3, LostDisks: 1), new HostFailure(104, 3, LostDisks: 1),
            new HostFailure(115, 3, LostDisks: 1));
        Assert.Equal((2, 2), (times.Failures, times.Restarts(RestartSource.Partner)));
        Assert.Equal(5 + 5 + 3.5, times.Waiting);
        Assert.Equal(10 + 20, times.Restart);
        AssertAllTimeIsAccountedFor(times);
    }

    [Fact]
    public void After_a_restart_from_the_shared_directory_partners_have_nothing_until_they_are_renewed()
    {
        // Restored from there at 145; all copies are renewed at 245.
        HostFailure pair = new(100, 3, LostDisks: 2);
        Assert.Equal(2, Run(s_levels, pair, new(240, 6, LostDisks: 1)).Restarts(RestartSource.Shared));
        Assert.Equal(1, Run(s_levels, pair, new(255, 6, LostDisks: 1)).Restarts(RestartSource.Partner));
    }

    [Fact]
    public void Every_nth_generation_is_in_the_shared_directory()
    {
        // The third of every 16.5 s, captured at 49, published at 53, copied at 65: 48 of 100 s stay.
        SimulatedTimes times = Run(
            s_job with { Shared = true, SharedEvery = 3 }, new HostFailure(100, 3, LostDisks: 1));
        Assert.Equal(1, times.Restarts(RestartSource.Shared));
        Assert.Equal(100 - (6 * 0.5) - 48, times.Lost(RestartSource.Shared));
    }

    [Fact]
    public void While_a_copy_is_made_the_newest_of_the_others_waits()
    {
        // Published at 20, 36.5, 53, 69.5; the first copy is made until 60, the third until 100.
        SimulatedJob slow = s_job with { Partner = true, PartnerCopy = 40 };
        Assert.Equal(
            99 - (6 * 0.5) - 16, Run(slow, new HostFailure(99, 3, LostDisks: 1)).Lost(RestartSource.Partner));
        Assert.Equal(
            101 - (6 * 0.5) - 48,
            Run(slow, new HostFailure(101, 3, LostDisks: 1)).Lost(RestartSource.Partner));
    }

    [Fact]
    public void A_job_without_an_end_is_given_up()
    {
        SimulatedTimes times = JobSimulation.Run(
            s_job with { Limit = 100 }, new ListedFailures([new HostFailure(99, 3, LostDisks: 1)]));
        Assert.Equal((false, 100), (times.HasEnded, times.Wall));
        AssertAllTimeIsAccountedFor(times);
    }

    [Fact]
    public void All_time_is_accounted_for_and_more_levels_never_lose_more_by_a_failure()
    {
        Random random = new(7);
        for (int round = 0; round < 500; round++)
        {
            SimulatedJob job = s_levels with
            {
                Hosts = random.Next(2, 50),
                HostMtbf = random.Next(1000, 100_000),
                KeepsDisk = random.NextDouble(),
                LosesPair = random.NextDouble(),
                Interval = 1 + random.NextDouble() * 100,
                Felt = random.NextDouble() * 2,
                Publish = 2 + random.NextDouble() * 50,
                PartnerCopy = random.NextDouble() * 50,
                SharedEvery = random.Next(1, 5),
                Limit = 20_000,
            };
            AssertAllTimeIsAccountedFor(JobSimulation.Run(job, new RandomHostFailures(job, round)));
            HostFailure failure = new(random.NextDouble() * 1000, random.Next(job.Hosts), random.Next(3));
            double own = Lost(job with { Partner = false, Shared = false }, failure);
            double partner = Lost(job with { Shared = false }, failure);
            double shared = Lost(job with { Partner = false }, failure);
            double both = Lost(job, failure);
            string all = $"round {round}: {own} {partner} {shared} {both}";
            Assert.True(Math.Max(partner, shared) < own + Rounding, all);
            Assert.True(both < Math.Min(partner, shared) + Rounding, all);
        }
    }

    private static double Lost(SimulatedJob job, HostFailure failure)
    {
        SimulatedTimes times = Run(job, failure);
        return Enum.GetValues<RestartSource>().Sum(times.Lost);
    }

    private static SimulatedTimes Run(SimulatedJob job, params HostFailure[] failures) =>
        JobSimulation.Run(job, new ListedFailures(failures));

    private static void AssertAllTimeIsAccountedFor(SimulatedTimes times)
    {
        double lost = Enum.GetValues<RestartSource>().Sum(times.Lost);
        Assert.Equal(
            times.Wall, times.Useful + lost + times.Felt + times.Restart + times.Waiting, times.Wall * 1e-9);
    }

    /// <summary>These and no others.</summary>
    private sealed class ListedFailures(HostFailure[] failures) : IHostFailures
    {
        private int _next;

        HostFailure IHostFailures.Next() => _next < failures.Length
            ? failures[_next++]
            : new HostFailure(double.PositiveInfinity, 0, LostDisks: 0);
    }
}
