namespace Snapshot.TestPrograms;

/// <summary>
/// Takes checkpoints and says of each what became of it, so that a test can let calls below it fail.
/// </summary>
internal static class SyncFailures
{
    internal const int Checkpoints = 4;

    internal static int Run(string store, bool directIo)
    {
        SnapshotOptions options = new() { Tuning = new SnapshotTuning { DirectIo = directIo } };
        using SnapshotSession session = SnapshotSession.Open(store, options);
        ArenaArray<long> cells =
            session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 }).RootArray<long>("cells", 4096);
        Console.Write($"restarted {session.Restarted?.Generation ?? 0} with {cells[0]}\n");
        for (int turn = 1; turn <= Checkpoints; turn++)
        {
            cells.AsSpan().Fill(cells[0] + 1);
            try
            {
                long generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
                Console.Write($"committed {generation} with {cells[0]}\n");
            }
            catch (SnapshotException error)
            {
                Console.Write($"failed {error.Code} {error.Errno}\n");
            }
        }

        return 0;
    }
}
