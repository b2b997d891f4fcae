namespace Snapshot.TestPrograms;

/// <summary>Copies a whole arena for a checkpoint, under whatever limits of memory the process has.</summary>
internal static class LimitedLife
{
    internal static int Run(string store, long megabytes, CaptureMode capture)
    {
        SnapshotOptions options = new() { Capture = capture };
        Console.Write($"limit {options.Tuning.StagingLimit}\n");
        using SnapshotSession session = SnapshotSession.Open(store, options);
        long count = (megabytes << 20) / sizeof(long);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = (megabytes + 64) << 20 });
        ArenaArray<long> cells = arena.RootArray<long>("cells", count);
        for (int turn = 1; turn <= 2; turn++)
        {
            for (long cell = 0; cell < count; cell++) cells[cell] = cell * turn;
            try
            {
                SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
                Console.Write($"committed {info.Generation} by {info.Capture.Regions[0].Mode}\n");
            }
            catch (SnapshotException error)
            {
                Console.Write($"failed {error.Code} {error.Message}\n");
            }
        }

        return 0;
    }
}
