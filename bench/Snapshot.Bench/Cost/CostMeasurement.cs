namespace Snapshot.Bench;

/// <summary>What one checkpointer took from the computation: medians of runs made by turns.</summary>
internal sealed record CostMeasurement
{
    internal required string Name { get; init; }

    internal required CostSetup Setup { get; init; }

    internal required IReadOnlyList<CostRun> Runs { get; init; }

    internal required IReadOnlyList<CostRun> Without { get; init; }

    internal double Seconds => Median(Runs, run => run.Seconds);

    /// <summary>By how much the computation took longer.</summary>
    internal double LostSeconds => Seconds - Median(Without, run => run.Seconds);

    /// <summary>By how much an epoch is longer at whose beginning everything had to be saved.</summary>
    internal double LostMsFirst => Median(Runs, run => run.EpochsMs[1]) - EpochMs;

    /// <summary>By how much a later one is longer, in the mean of a run.</summary>
    internal double LostMsPerIncrement => Median(Runs, run => run.EpochsMs.Skip(2).Average()) - EpochMs;

    internal double ProcessorSeconds =>
        Median(Runs, run => run.ProcessorSeconds) - Median(Without, run => run.ProcessorSeconds);

    internal double BytesWritten => Median(Runs, run => run.BytesWritten);

    internal double ProcessorSecondsPerGiB => ProcessorSeconds / (BytesWritten / (1L << 30));

    internal double LongestGapMs => Median(Runs, run => run.LongestGapMs);

    internal double? PauseMsMedian => Runs[0].Infos.Count == 0
        ? null
        : Figures.Median(Runs.SelectMany(run => run.PausesMs));

    /// <summary>How long an epoch is without checkpoints.</summary>
    internal double EpochMs => Median(Without, run => run.EpochsMs.Average());

    /// <param name="setup">What is computed.</param>
    /// <param name="rounds">Runs of each kind.</param>
    /// <param name="isBeside">
    /// Whether others are run beside the session, and not only what takes no checkpoint.
    /// </param>
    /// <param name="run">Takes what is said meanwhile.</param>
    internal static List<CostMeasurement> RunAll(CostSetup setup, int rounds, bool isBeside, BenchRun run)
    {
        long images = setup.Checkpoints + 1;
        Requirements.Memory(
            2 * setup.ArenaBytes + (512L << 20), $"an arena of {Figures.Size(setup.ArenaBytes)} and copies");
        Requirements.Disk(
            setup.Directory, images * setup.ArenaBytes, $"{images} images of that arena at the most");
        (string Name, Func<Checkpointer> Make)[] all =
        [
            ("none", () => new NoCheckpoints(setup)),
            ("Snapshot", () => new SnapshotCheckpoints(setup)),
            ("stopped, direct write", () => new StoppedWrites(setup, direct: true)),
            ("stopped, write and fsync", () => new StoppedWrites(setup, direct: false)),
            ("fork, direct write", () => new ForkedWrites(setup)),
        ];
        if (!isBeside) all = all[..2];
        run.Say("how much is computed in an epoch");
        int work = WorkFor(setup);
        List<CostRun>[] runs = [.. all.Select(_ => new List<CostRun>())];
        for (int round = 1; round <= rounds; round++)
        {
            for (int index = 0; index < all.Length; index++)
            {
                run.Say($"round {round} of {rounds}: {all[index].Name}");
                runs[index].Add(CostRun.Of(setup, all[index].Make, work));
            }
        }

        return [.. all.Select((one, index) => new CostMeasurement
        {
            Name = one.Name,
            Setup = setup,
            Runs = runs[index],
            Without = runs[0],
        })];
    }

    /// <summary>How much to compute for each page, for an epoch to take as long as asked for.</summary>
    private static int WorkFor(CostSetup setup)
    {
        const int Tried = 16;
        CostSetup small = setup with { Checkpoints = 1 };
        double bare = EpochOf(0), worked = EpochOf(Tried);
        return (int)Math.Clamp((setup.Epoch.TotalMilliseconds - bare) / (worked - bare) * Tried, 0, 1e6);

        double EpochOf(int work) =>
            CostRun.Of(small, () => new NoCheckpoints(small), work).EpochsMs.Average();
    }

    private static double Median(IEnumerable<CostRun> runs, Func<CostRun, double> value) =>
        Figures.Median(runs.Select(value));
}
