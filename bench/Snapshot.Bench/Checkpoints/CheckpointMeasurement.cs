namespace Snapshot.Bench;

/// <summary>The figures of one cell: of each checkpoint, and of the baselines in the same run.</summary>
internal sealed record CheckpointMeasurement
{
    internal required Scenario Scenario { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Rounds { get; init; }

    /// <summary>Of the arena's resident memory, after the last checkpoint.</summary>
    internal required double HugePagesPercent { get; init; }

    /// <summary>Memory alone, and fork().</summary>
    internal required MemoryBaseline Memory { get; init; }

    internal required double DirectWriteGigabytesPerSecond { get; init; }

    /// <summary>All of the arena into a file, through the page cache, and fsync; milliseconds.</summary>
    internal required double PlainFileMilliseconds { get; init; }

    internal double PauseMedian => Median(info => info.Capture.Pause.Total.TotalMilliseconds);

    internal double PauseMax => Rounds.Max(info => info.Capture.Pause.Total.TotalMilliseconds);

    /// <summary>
    /// GB/s of the image file, from the end of the pause to the end of the writing and the syncing.
    /// </summary>
    internal double DrainGigabytesPerSecond => Median(DrainOf);

    internal static double DrainOf(SnapshotInfo info) =>
        info.BytesWritten / (info.Drain + info.Commit).TotalSeconds / 1e9;

    internal double Median(Func<SnapshotInfo, double> figure) => Figures.Median(Rounds.Select(figure));

    /// <summary>Every cell; what several cells share is measured once.</summary>
    internal static List<CheckpointMeasurement> RunAll(IReadOnlyList<Scenario> scenarios, BenchRun run)
    {
        foreach (Scenario scenario in scenarios) Check(scenario);
        using StoreFolder folder = new(run.Directory);
        Scenario first = scenarios[0];
        run.Say("a plain file of the whole arena, with fsync");
        double plain = PlainFile.WriteMilliseconds(folder.Path, first.ArenaBytes);
        Dictionary<(double, bool), MemoryBaseline> memory = [];
        List<CheckpointMeasurement> measured = [];
        foreach (Scenario scenario in scenarios)
        {
            string cell = $"{scenario.DirtyPercent} % {scenario.PatternName}";
            if (!memory.TryGetValue((scenario.DirtyPercent, scenario.IsDense), out MemoryBaseline? baseline))
            {
                run.Say($"{cell}: memcpy and fork");
                baseline = memory[(scenario.DirtyPercent, scenario.IsDense)] = MemoryBaseline.Of(scenario);
            }

            (IReadOnlyList<SnapshotInfo> rounds, double hugePages) = CheckpointRounds.Run(scenario, run);
            long bytes = Math.Clamp(rounds[^1].BytesWritten, 256L << 20, 2L << 30);
            run.Say($"{cell}: dd");
            measured.Add(new CheckpointMeasurement
            {
                Scenario = scenario,
                Rounds = rounds,
                HugePagesPercent = hugePages,
                Memory = baseline,
                PlainFileMilliseconds = plain,
                DirectWriteGigabytesPerSecond = DirectIo.WriteGigabytesPerSecond(folder.Path, bytes),
            });
        }

        return measured;
    }

    private static void Check(Scenario scenario)
    {
        const long Margin = 512L << 20;
        Requirements.Program(DirectIo.Program);
        Requirements.Memory(
            (2 * scenario.ArenaBytes) + Margin,
            $"an arena of {Figures.Size(scenario.ArenaBytes)} and copies of it");
        Requirements.Disk(scenario.Directory, CheckpointRounds.DiskBytes(scenario), "images of that arena");
    }
}
