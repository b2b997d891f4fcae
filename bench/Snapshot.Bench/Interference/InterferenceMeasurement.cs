namespace Snapshot.Bench;

/// <summary>The same work without and with checkpoints in one mode; medians of interleaved runs.</summary>
internal sealed record InterferenceMeasurement
{
    /// <summary>In so many steps all of an arena is written.</summary>
    private const int FirstSteps = 4;

    internal required InterferenceSetup Setup { get; init; }

    internal required CaptureMode Capture { get; init; }

    internal required IReadOnlyList<ComputationRun> Without { get; init; }

    internal required IReadOnlyList<ComputationRun> Settled { get; init; }

    internal required IReadOnlyList<ComputationRun> Watched { get; init; }

    internal required IReadOnlyList<ComputationRun> With { get; init; }

    /// <summary>One thread copies the pages that one checkpoint found written.</summary>
    internal required double MemcpyMs { get; init; }

    internal IReadOnlyList<SnapshotInfo> Checkpoints =>
        [.. With.SelectMany(run => run.Checkpoints).Select(checkpoint => checkpoint.Info)];

    internal double CheckpointsPerRun => With.Average(run => run.Checkpoints.Count);

    internal double WithoutSeconds => Seconds(Without);

    internal double WithSeconds => Seconds(With);

    /// <summary>How long a step takes that no checkpoint overlaps with.</summary>
    internal double StepMs => Figures.Median(With.Select(run => run.Steps.MedianMs(run.Checkpoints)));

    /// <summary>What one checkpoint cost the application: by how much it makes steps longer.</summary>
    internal double CostMs => Figures.Median(With.SelectMany(run => run.CostsMs));

    /// <summary>
    /// By how much steps of a run are longer in which pages may be smaller than they were, for as many steps
    /// as there are for one checkpoint.
    /// </summary>
    internal double SmallPagesMs => (MedianStepMs(Settled) - MedianStepMs(Without)) *
        With.Average(run => run.Steps.Count) / CheckpointsPerRun;

    /// <summary>What noticing each first write once costs.</summary>
    internal double FaultsMs => Figures.Median(Watched.Select(run => run.Steps.ExcessAtFirstMs(FirstSteps)));

    internal double PauseMs => Checkpoints.Average(info => info.Capture.Pause.Total.TotalMilliseconds);

    /// <summary>
    /// What is left of the cost: copies made while the computation runs, and processors and memory shared
    /// with the drain.
    /// </summary>
    internal double RestMs => CostMs - FaultsMs - PauseMs;

    /// <summary>Time the kernel spent in the application's threads for one checkpoint.</summary>
    internal double SystemMs => PerCheckpoint(run => run.Participants.SystemMs);

    /// <summary>Processor time of all other threads for one checkpoint.</summary>
    internal double OthersMs => PerCheckpoint(run => run.Others.TotalMs);

    internal static List<InterferenceMeasurement> RunAll(
        InterferenceSetup setup, IReadOnlyList<CaptureMode> modes, int rounds, BenchRun run)
    {
        Check(setup);
        long steps = StepsFor(setup, run);
        Dictionary<(Disturbance, CaptureMode), List<ComputationRun>> runs = [];
        for (int round = 1; round <= rounds; round++)
        {
            Make(Disturbance.None, modes[0], $"round {round} of {rounds}: without checkpoints");
            foreach (CaptureMode mode in modes)
            {
                Make(Disturbance.Settled, mode, $"round {round} of {rounds}: {mode}, after a checkpoint");
                Make(Disturbance.Watched, mode, $"round {round} of {rounds}: {mode}, watched");
                Make(Disturbance.Checkpoints, mode, $"round {round} of {rounds}: {mode}, with checkpoints");
            }
        }

        run.Say($"{setup.Computation}: memcpy");
        return [.. modes.Select(mode => Of(
            setup, mode, kind => runs[(kind, kind == Disturbance.None ? modes[0] : mode)]))];

        void Make(Disturbance kind, CaptureMode mode, string what)
        {
            run.Say($"{setup.Computation}, {what}");
            if (!runs.TryGetValue((kind, mode), out List<ComputationRun>? list))
                runs[(kind, mode)] = list = [];
            list.Add(ComputationRun.Of(setup, kind, mode, steps));
        }
    }

    private static InterferenceMeasurement Of(
        InterferenceSetup setup, CaptureMode mode, Func<Disturbance, IReadOnlyList<ComputationRun>> runs)
    {
        IReadOnlyList<ComputationRun> with = runs(Disturbance.Checkpoints);
        SnapshotInfo[] checkpoints = [.. with.SelectMany(run => run.Checkpoints).Select(it => it.Info)];
        if (checkpoints.Length == 0)
        {
            throw new RequirementException(
                $"The work ended after {Figures.Text(with[0].Seconds)} s, before a checkpoint was due",
                "choose a smaller --every or more --seconds.");
        }

        double pages = Figures.Median(checkpoints.Select(info => (double)info.Capture.PagesTracked));
        return new InterferenceMeasurement
        {
            Setup = setup,
            Capture = mode,
            Without = runs(Disturbance.None),
            Settled = runs(Disturbance.Settled),
            Watched = runs(Disturbance.Watched),
            With = with,
            MemcpyMs = Memcpy.Milliseconds((long)pages * PagePattern.PageBytes),
        };
    }

    /// <summary>
    /// How many steps take as long as asked for; even, so that a stencil ends in the field it began with.
    /// </summary>
    private static long StepsFor(InterferenceSetup setup, BenchRun run)
    {
        run.Say($"{setup.Computation}: how long a step takes");
        for (long tried = 8; ; tried *= 8)
        {
            double seconds = ComputationRun.Of(setup, Disturbance.None, CaptureMode.Auto, tried).Seconds;
            if (seconds < setup.Length.TotalSeconds / 20) continue;
            return Math.Max(2, (long)Math.Ceiling(setup.Length.TotalSeconds / seconds * tried / 2) * 2);
        }
    }

    private static void Check(InterferenceSetup setup)
    {
        // A run with checkpoints may take longer; three times as long is taken as the bound.
        long images = 2 + (long)Math.Ceiling(3 * setup.Length / setup.Every);
        Requirements.Memory(
            (2 * setup.ArenaBytes) + (512L << 20), $"an arena of {Figures.Size(setup.ArenaBytes)} " +
            "and copies");
        Requirements.Disk(
            setup.Directory, images * setup.ArenaBytes, $"{images} images of that arena at the most");
    }

    private static double Seconds(IEnumerable<ComputationRun> runs) =>
        Figures.Median(runs.Select(run => run.Seconds));

    private static double MedianStepMs(IEnumerable<ComputationRun> runs) =>
        Figures.Median(runs.Select(run => run.Steps.MedianMs([])));

    private double PerCheckpoint(Func<ComputationRun, double> time) =>
        (Figures.Median(With.Select(time)) - Figures.Median(Without.Select(time))) / CheckpointsPerRun;
}
