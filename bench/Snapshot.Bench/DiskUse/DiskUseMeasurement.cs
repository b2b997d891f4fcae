namespace Snapshot.Bench;

/// <summary>What a store with the options of a user takes on disk, looked at all the time.</summary>
internal sealed record DiskUseMeasurement
{
    internal required DiskUseSetup Setup { get; init; }

    /// <summary>Of the largest full image: the state.</summary>
    internal required long FullBytes { get; init; }

    /// <summary>The most that all files took, those being written included.</summary>
    internal required long PeakBytes { get; init; }

    /// <summary>What is left when the session has closed.</summary>
    internal required long EndBytes { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Checkpoints { get; init; }

    internal int FullImages => Checkpoints.Count(checkpoint => checkpoint.Parent is null);

    internal double WrittenMean => Checkpoints.Average(checkpoint => (double)checkpoint.BytesWritten);

    internal double CommitMs => Figures.Median(
        Checkpoints.Select(checkpoint => (checkpoint.Drain + checkpoint.Commit).TotalMilliseconds));

    internal static unsafe DiskUseMeasurement Run(DiskUseSetup setup)
    {
        using StoreFolder folder = new(setup.Directory);
        SnapshotOptions options = new()
        {
            Capture = setup.Capture,
            Encoding = BlockEncoding.None,
            Tuning = new SnapshotTuning { StagingLimit = setup.ArenaBytes + (1L << 30) },
            Store = new StoreOptions { Retention = new RetentionPolicy { KeepLast = setup.KeepLast } },
        };
        List<SnapshotInfo> checkpoints = [];
        using DiskWatch watch = new(folder);
        using (SnapshotSession session = SnapshotSession.Open(folder.Path, options))
        {
            Arena arena =
                session.OpenArena("bench", new ArenaOptions { Capacity = setup.ArenaBytes + (256L << 20) });
            long* data = arena.RootArray<long>("data", setup.ArenaBytes / sizeof(long)).Pointer;
            PagePattern all = new(setup.ArenaBytes / PagePattern.PageBytes, 100, IsDense: true);
            Random random = new(1);
            for (int round = 0; round <= setup.Rounds; round++)
            {
                PagePattern pattern =
                    round == 0 ? all : all with { DirtyPercent = setup.DirtyPercent, IsDense = false };
                ulong state = PageContent.Seed(round, 0);
                foreach (long page in pattern.Choose(random))
                    state = PageContent.Noise(data + (page * PagePattern.PageBytes / sizeof(long)), state);
                checkpoints.Add(session.RequestCheckpoint(null, watch).WaitCommittedInThread());
            }
        }

        return new DiskUseMeasurement
        {
            Setup = setup,
            FullBytes =
                checkpoints.Where(checkpoint => checkpoint.Parent is null).Max(full => full.BytesWritten),
            PeakBytes = watch.Peak,
            EndBytes = folder.Bytes,
            Checkpoints = checkpoints[1..],
        };
    }
}
