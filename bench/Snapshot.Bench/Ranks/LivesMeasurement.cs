namespace Snapshot.Bench;

/// <summary>A job of real ranks that is killed at random, and what it is to be like.</summary>
internal sealed record LivesSetup(string Mpi, int Ranks, long StateBytes)
{
    /// <summary>Seconds that it computes.</summary>
    internal required double Work { get; init; }

    /// <summary>Seconds between failures, at a mean.</summary>
    internal required double Mtbf { get; init; }

    internal required double Interval { get; init; }

    internal required int Lives { get; init; }

    internal required int Seed { get; init; }
}

/// <summary>What of the time of real jobs computes, beside simulated ones with their costs.</summary>
internal sealed record LivesMeasurement
{
    private const int Rounds = 9, Simulations = 2000;

    internal required LivesSetup Setup { get; init; }

    /// <summary>Seconds of the steps when nothing disturbs them.</summary>
    internal required double Work { get; init; }

    /// <summary>Seconds of all lives, each from its first step to its end.</summary>
    internal required double Wall { get; init; }

    internal required int Kills { get; init; }

    /// <summary>Jobs with the costs that were measured before and during the lives.</summary>
    internal required SimulationRuns Simulated { get; init; }

    internal double Computes => Work * Setup.Lives / Wall;

    /// <summary>Half of the interval in which 95 % of the means of so many lives are.</summary>
    internal double Spread => 1.96 * Simulated.ComputesDeviation / Math.Sqrt(Setup.Lives);

    internal static LivesMeasurement Run(LivesSetup setup, BenchRun run)
    {
        Requirements.Disk(run.Directory, 4 * setup.StateBytes, "images of the job");
        RanksRun mpi = new(setup.Mpi);
        using StoreFolder folder = new(run.Directory);
        long bytes = setup.StateBytes / setup.Ranks;
        run.Say($"{setup.Mpi}, {setup.Ranks} ranks: costs");
        RanksTimes costs = mpi.Run<RanksTimes>(
            setup.Ranks,
            RanksChild.Measure(
                Path.Combine(folder.Path, "costs"), bytes, Rounds, levels: 0, isSlow: true));
        long steps = Math.Max(1, (long)(setup.Work * 1000 / costs.StepMs));
        double work = mpi.Run<double>(
            setup.Ranks, RanksChild.Live(Path.Combine(folder.Path, "calm"), bytes, steps, 0)) / 1000;
        Random random = new(setup.Seed);
        List<Life> lives = [];
        for (int life = 0; life < setup.Lives; life++)
        {
            run.Say($"life {life + 1} of {setup.Lives}");
            lives.Add(Life.Of(mpi, setup, Path.Combine(folder.Path, $"life{life}"), bytes, steps, random));
        }

        double start = Figures.Median(lives.SelectMany(life => life.Starts));
        return new LivesMeasurement
        {
            Setup = setup,
            Work = work,
            Wall = lives.Sum(life => life.Wall),
            Kills = lives.Sum(life => life.Kills),
            Simulated = new SimulationRuns(JobOf(setup, costs, work, start), Simulations, setup.Seed),
        };
    }

    private static SimulatedJob JobOf(LivesSetup setup, RanksTimes costs, double work, double start)
    {
        double felt = Math.Max(0, costs.LostMs / 1000);
        return new SimulatedJob
        {
            Hosts = 1,
            HostMtbf = setup.Mtbf,
            KeepsDisk = 1,
            Work = work,
            Interval = setup.Interval,
            Felt = felt,
            Publish = Math.Max(felt, costs.PublishMs / 1000),
            RestartOwn = start,
        };
    }
}
