using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>Means of many simulated jobs beside what is known of them in closed form.</summary>
public sealed class CheckpointFormulaTests
{
    // Checkpoints stop the program and count when it goes on; every failure leaves the disks.
    private static readonly SimulatedJob s_stopping = new()
    {
        Hosts = 1000,
        HostMtbf = 100_000,
        KeepsDisk = 1,
        Work = 1000,
        Interval = 20,
        Felt = 3,
        Publish = 3,
        RestartOwn = 15,
    };

    [Theory]
    [InlineData(20, 100_000)]
    [InlineData(100, 100_000)] // an interval is as long as the time between two failures
    [InlineData(20, 30_000)] // and a restart half of it
    public void Stopping_checkpoints_take_what_Dalys_formula_says(double interval, double mtbf)
    {
        SimulationRuns runs = new(s_stopping with { Interval = interval, HostMtbf = mtbf }, 2000, seed: 1);
        double exact = CheckpointFormulas.Exact(interval, 3, 15, mtbf / 1000);
        Assert.InRange(runs.WallError / runs.MeanWall, 0, 0.03);
        Assert.InRange(runs.MeanWall, 1000 / exact - runs.WallError, 1000 / exact + runs.WallError);
        Assert.InRange(runs.Computes, exact - runs.ComputesError, exact + runs.ComputesError);
    }

    [Fact]
    public void Disks_that_are_always_lost_lead_to_the_beginning_however_many_checkpoints_there_are()
    {
        SimulationRuns runs = new(s_stopping with { KeepsDisk = 0, Work = 100 }, 2000, seed: 2);

        // All of it in one piece, between two failures 100 s apart.
        double exact = 100 * Math.Exp(15 / 100.0) * (Math.Exp((100 + 15) / 100.0) - 1);
        Assert.InRange(runs.WallError / runs.MeanWall, 0, 0.05);
        Assert.InRange(runs.MeanWall, exact - runs.WallError, exact + runs.WallError);
    }

    [Fact]
    public void A_failure_loses_half_an_interval_and_the_time_until_a_generation_is_published()
    {
        SimulatedJob job = s_stopping with { HostMtbf = 5_000_000, Work = 50_000, Felt = 0, Publish = 7 };
        SimulationRuns runs = new(job, 400, seed: 3);
        double failures = 400 * runs.Mean(times => times.Failures);
        double lost = 400 * runs.Mean(times => times.Lost(RestartSource.Own)) / failures;
        double error = 1.96 * 20 / Math.Sqrt(12 * failures);
        Assert.InRange(error, 0, 0.3);
        Assert.InRange(lost, 10 + 7 - error, 10 + 7 + error);
    }

    [Fact]
    public void What_a_failure_costs_depends_on_the_rate_of_all_hosts_alone()
    {
        SimulatedTimes few = JobSimulation.Run(s_stopping, new RandomHostFailures(s_stopping, 4));
        SimulatedJob many = s_stopping with { Hosts = 10_000_000, HostMtbf = 1_000_000_000 };
        Assert.Equal(few.Wall, JobSimulation.Run(many, new RandomHostFailures(many, 4)).Wall);
    }

    [Fact]
    public void The_same_seed_is_the_same_run()
    {
        double first = new SimulationRuns(s_stopping, 5, seed: 5).MeanWall;
        Assert.Equal(first, new SimulationRuns(s_stopping, 5, seed: 5).MeanWall);
        Assert.NotEqual(first, new SimulationRuns(s_stopping, 5, seed: 6).MeanWall);
    }

    [Theory]
    [InlineData(1, 10_000)]
    [InlineData(1, 50)]
    [InlineData(1, 5)]
    public void Dalys_interval_is_near_the_best_and_Youngs_where_checkpoints_cost_little(
        double felt, double mtbf)
    {
        double best = Enumerable.Range(1, 100_000).Select(step => step * mtbf / 50_000)
            .MaxBy(interval => CheckpointFormulas.Exact(interval, felt, 0, mtbf));
        Assert.InRange(CheckpointFormulas.Daly(felt, mtbf) / best, 0.98, 1.02);
        Assert.Equal(Math.Sqrt(2 * felt * mtbf), CheckpointFormulas.Young(felt, mtbf));
        Assert.Equal(mtbf >= 10_000, Math.Abs(CheckpointFormulas.Young(felt, mtbf) / best - 1) < 0.02);
    }

    [Fact]
    public void The_first_order_is_the_limit_of_rare_failures()
    {
        Assert.Equal(1 / (1 + 0.01 + 0.0006), CheckpointFormulas.FirstOrder(100, 1, 10, 100_000), 1e-12);
        Assert.Equal(
            CheckpointFormulas.Exact(100, 1, 10, 1e6), CheckpointFormulas.FirstOrder(100, 1, 10, 1e6), 1e-5);
    }
}
