namespace Snapshot.Bench;

/// <summary>What one number of threads over one number of arenas takes.</summary>
internal sealed record CrowdMeasurement
{
    internal required CrowdSetup Setup { get; init; }

    /// <summary>
    /// Nanoseconds that a first write after a checkpoint takes longer than the next to the same page; of a
    /// processor that there was, whether it worked or waited.
    /// </summary>
    internal required double FirstWriteNs { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Checkpoints { get; init; }

    /// <summary>The row with the fewest threads and arenas of the same mode in the same run.</summary>
    internal CrowdMeasurement? Smallest { get; init; }

    internal double PauseMs => Median(pause => pause.Total);

    internal double GatherMs => Median(pause => pause.Gather);

    internal static List<CrowdMeasurement> RunAll(IReadOnlyList<CrowdSetup> setups, BenchRun run)
    {
        foreach (CrowdSetup setup in setups) Check(setup);
        List<CrowdMeasurement> rows = [.. setups.Select(setup => Run(setup, run))];
        return [.. rows.Select(row => row with
        {
            Smallest = rows.Where(other => other.Setup.Capture == row.Setup.Capture)
                .MinBy(other => (other.Setup.Threads, other.Setup.Arenas)),
        })];
    }

    private static CrowdMeasurement Run(CrowdSetup setup, BenchRun run)
    {
        run.Say(
            $"{Figures.Size(setup.ArenaBytes)}, {setup.Threads} threads, {setup.Arenas} arenas, " +
            $"{setup.Capture}");
        using StoreFolder folder = new(setup.Directory);
        using SnapshotSession session = SnapshotSession.Create(folder.Path, new SnapshotOptions
        {
            Capture = setup.Capture,
            Encoding = BlockEncoding.None,
            Tuning = new SnapshotTuning { StagingLimit = setup.ArenaBytes + (1L << 30) },
            Store = StoreFolder.NewestOnly,
        });
        using CrowdThreads threads = new(session, setup);
        threads.Choose(_ => PagePattern.All(setup.PagesOfPart));
        threads.Write();
        session.RequestCheckpoint().WaitCommittedInThread();
        Random random = new(1);
        List<double> first = [], again = [];
        List<SnapshotInfo> checkpoints = [];
        for (int round = 0; round < setup.Rounds; round++)
        {
            threads.Choose(_ => setup.Pattern.Choose(random));
            first.Add(threads.Write());
            again.Add(threads.Write());
            checkpoints.Add(session.RequestCheckpoint().WaitCommittedInThread());
        }

        // The next write is short: a thread that is not let run would count for more than all of it. So its
        // least.
        int processors = Math.Min(setup.Threads, Environment.ProcessorCount);
        return new CrowdMeasurement
        {
            Setup = setup,
            FirstWriteNs = (Figures.Median(first) - again.Min()) * 1e6 * processors / setup.Writes,
            Checkpoints = checkpoints,
        };
    }

    private static void Check(CrowdSetup setup)
    {
        if (setup.PagesOfPart < 1)
        {
            throw new RequirementException(
                $"{setup.Threads} threads in {setup.Arenas} arenas have less than a page each",
                "choose a larger " +
                "--arena.");
        }

        Requirements.Memory(
            (2 * setup.ArenaBytes) + (512L << 20),
            $"arenas of {Figures.Size(setup.ArenaBytes)} and copies of them");
        long images = setup.ArenaBytes + (setup.Rounds * setup.Writes * PagePattern.PageBytes);
        Requirements.Disk(setup.Directory, images, "images of those arenas");
    }

    private double Median(Func<PauseInfo, TimeSpan> part) =>
        Figures.Median(Checkpoints.Select(info => part(info.Capture.Pause).TotalMilliseconds));
}
