namespace Snapshot.Bench;

/// <summary>A session whose participants write pages, and a checkpoint after each time.</summary>
internal static class CheckpointRounds
{
    /// <summary>
    /// The most that is on the disk at once: a chain up to its bound, the image it is compacted to, an
    /// increment.
    /// </summary>
    internal static long DiskBytes(Scenario scenario) =>
        ChainBytesMax(scenario) + scenario.ArenaBytes + scenario.DirtyBytes + (64L << 20);

    /// <summary>Each checkpoint, and how much of the arena is in huge pages after them.</summary>
    internal static (IReadOnlyList<SnapshotInfo> Rounds, double HugePagesPercent) Run(
        Scenario scenario, BenchRun run)
    {
        string cell = $"{scenario.DirtyPercent} % {scenario.PatternName}, {scenario.Capture}";
        using StoreFolder folder = new(scenario.Directory);
        using SnapshotSession session = SnapshotSession.Create(folder.Path, OptionsOf(scenario));
        using Workload workload = new(session, scenario);
        Random random = new(1);
        List<SnapshotInfo> rounds = [];
        run.Say($"{cell}: filling, and the full image");
        workload.Write(PagePattern.All(scenario.Pattern.Pages));
        Checkpoint();
        for (int round = 0; round < scenario.Rounds; round++)
        {
            if (folder.Bytes > ChainBytesMax(scenario)) Compact(session);
            run.Say($"{cell}: round {round + 1} of {scenario.Rounds}");
            workload.Write(scenario.Pattern.Choose(random));
            rounds.Add(Checkpoint());
        }

        return (rounds, workload.HugePagesPercent);

        SnapshotInfo Checkpoint()
        {
            CheckpointTicket ticket = session.RequestCheckpoint();
            ticket.WaitCapturedInThread();
            workload.Rest();
            return ticket.WaitCommittedInThread();
        }
    }

    /// <summary>
    /// Compaction is done here, between rounds, and never beside a checkpoint that is measured.
    /// </summary>
    private static SnapshotOptions OptionsOf(Scenario scenario) => new()
    {
        Capture = scenario.Capture,
        Encoding = scenario.Encoding,
        Tuning = new SnapshotTuning { StagingLimit = scenario.ArenaBytes + (1L << 30) },
        Store = StoreFolder.NewestOnly,
    };

    private static long ChainBytesMax(Scenario scenario) => 2 * scenario.ArenaBytes;

    private static void Compact(SnapshotSession session)
    {
        session.Store.CompactAsync(session.Store.Newest!.Generation).GetAwaiter().GetResult();
        session.Store.PruneAsync(session.Store.Options.Retention).GetAwaiter().GetResult();
    }
}
