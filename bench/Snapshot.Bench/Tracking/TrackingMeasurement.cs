namespace Snapshot.Bench;

/// <summary>Checkpoints whose written pages one mechanism finds, beside a memset of all the memory.</summary>
internal sealed record TrackingMeasurement
{
    internal required TrackingSetup Setup { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Rounds { get; init; }

    /// <summary>One thread fills the whole array, which is resident.</summary>
    internal required double MemsetMs { get; init; }

    /// <summary>Of the arena's resident memory, after the last checkpoint.</summary>
    internal required double HugePagesPercent { get; init; }

    /// <summary>
    /// The median pause with content hash of the same memory; NaN where that was not measured.
    /// </summary>
    internal double HashPauseMs { get; private init; } = double.NaN;

    internal double PauseMs => OfPause(pause => pause.Total);

    internal double CollectMs => OfPause(pause => pause.Collect);

    internal double CopyMs => OfPause(pause => pause.Copy);

    /// <summary>Pages that increments have, all of them.</summary>
    internal long PagesWritten => Rounds.Sum(info => info.PagesChanged);

    internal double PagesTracked => Figures.Median(Rounds.Select(info => (double)info.Capture.PagesTracked));

    /// <summary>Each of them, in turn.</summary>
    /// <exception cref="InvalidOperationException">
    /// Two mechanisms wrote other pages for the same writes.
    /// </exception>
    internal static IReadOnlyList<TrackingMeasurement> RunAll(
        IReadOnlyList<TrackingSetup> setups, BenchRun run)
    {
        foreach (TrackingSetup setup in setups) Check(setup);
        List<TrackingMeasurement> rows = [];
        foreach (TrackingSetup setup in setups)
        {
            run.Say(
                $"{setup.Mechanism}, {Figures.Size(setup.ArenaBytes)}, {(setup.IsHuge ? "huge" : "small")} " +
                "pages");
            rows.Add(Run(setup));
            ThrowUnlessEqual(rows.First(row => row.Setup.Memory == setup.Memory), rows[^1]);
        }

        ILookup<(long, bool, double), double> byHash = rows
            .Where(row => row.Setup.Mechanism == TrackingMechanism.ContentHash)
            .ToLookup(row => row.Setup.Memory, row => row.PauseMs);
        return [.. rows.Select(row => row with
        {
            HashPauseMs = byHash[row.Setup.Memory].DefaultIfEmpty(double.NaN).First(),
        })];
    }

    private static unsafe TrackingMeasurement Run(TrackingSetup setup)
    {
        using StoreFolder folder = new(setup.Directory);
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning
            {
                Tracking = setup.Mechanism,
                StagingLimit =
                setup.ArenaBytes + (64L << 20)
            },
            Capture = CaptureMode.Stage,
            Encoding = BlockEncoding.Lz4,
            Store = StoreFolder.NewestOnly,
        };
        using SnapshotSession session = SnapshotSession.Create(folder.Path, options);
        Arena arena = session.OpenArena(
            "bench",
            new ArenaOptions { Capacity = setup.ArenaBytes + (256L << 20), HugePages = setup.IsHuge });
        byte* memory = arena.RootArray<byte>("data", setup.ArenaBytes).Pointer;
        double memset = Memset.Milliseconds(memory, setup.ArenaBytes);
        session.RequestCheckpoint().WaitCommittedInThread();
        Random random = new(1);
        List<SnapshotInfo> rounds = [];
        for (int round = 1; round <= setup.Rounds; round++)
        {
            foreach (long page in setup.Pattern.Choose(random))
                *(long*)(memory + (page * PagePattern.PageBytes)) = round;
            rounds.Add(session.RequestCheckpoint().WaitCommittedInThread());
        }

        return new TrackingMeasurement
        {
            Setup = setup,
            Rounds = rounds,
            MemsetMs = memset,
            HugePagesPercent = HugePageShare.Percent((void*)arena.BaseAddress, arena.Capacity),
        };
    }

    private static void Check(TrackingSetup setup)
    {
        const long Margin = 256L << 20;
        Requirements.Memory(
            (2 * setup.ArenaBytes) + Margin,
            $"an arena of {Figures.Size(setup.ArenaBytes)} and copies of it");
        Requirements.Disk(setup.Directory, Margin, "images of an arena that compresses well");
    }

    private static void ThrowUnlessEqual(TrackingMeasurement one, TrackingMeasurement other)
    {
        for (int round = 0; round < one.Rounds.Count; round++)
        {
            (long here, long there) = (one.Rounds[round].PagesChanged, other.Rounds[round].PagesChanged);
            if (here == there) continue;
            throw new InvalidOperationException(
                $"Round {round + 1}: {here} pages were written with {one.Setup.Mechanism}, and {there} " +
                $"with {other.Setup.Mechanism}. One of the two is wrong.");
        }
    }

    private double OfPause(Func<PauseInfo, TimeSpan> part) =>
        Figures.Median(Rounds.Select(info => part(info.Capture.Pause).TotalMilliseconds));
}
