namespace Snapshot.TestPrograms;

/// <summary>
/// A program that says nothing about sizes, under <c>ulimit -v</c>; and one that asks for more than there is.
/// </summary>
internal static class AddressLimit
{
    private const int Cells = 1 << 16;

    internal static int Run(string store)
    {
        for (int turn = 1; turn <= 2; turn++)
        {
            SnapshotOptions options = new();
            using SnapshotSession session = SnapshotSession.Open(store, options);
            Arena[] arenas = [.. Enumerable.Range(0, 3).Select(index => session.OpenArena($"a{index}"))];
            Console.Write($"staging {options.Tuning.StagingLimit}\n");
            Console.Write($"capacities {string.Join(' ', arenas.Select(arena => arena.Capacity))}\n");
            foreach (Arena arena in arenas)
            {
                ArenaArray<int> cells = arena.RootArray<int>("cells", Cells);
                Console.Write($"found {cells[Cells - 1]}\n");
                cells.AsSpan().Fill(turn);
            }

            Console.Write($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}\n");
        }

        Tell(() =>
        {
            using SnapshotSession session = SnapshotSession.Open(store);
            session.OpenArena("too large", new ArenaOptions { Capacity = 64L << 30 });
        });
        Tell(() => SnapshotSession.Open(
            store, new SnapshotOptions { Tuning = new SnapshotTuning { StagingLimit = 64L << 30 } }).Dispose());
        return 0;
    }

    /// <summary>Restarts from an image that was made without a limit.</summary>
    internal static int Restart(string store)
    {
        Tell(() => SnapshotSession.Restart(store).Dispose());
        return 0;
    }

    private static void Tell(Action action)
    {
        try
        {
            action();
            Console.Write("done\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Message}\n");
        }
    }
}
