namespace Snapshot.TestPrograms;

/// <summary>Opens a store for writing and takes a checkpoint for each line it reads.</summary>
internal static class Writer
{
    internal static int Run(string store, bool allowUnlocked)
    {
        SnapshotOptions options = new()
        {
            Store = new StoreOptions { AllowUnlocked = allowUnlocked, LockTimeout = TimeSpan.Zero },
        };
        try
        {
            using SnapshotSession session = SnapshotSession.Open(store, options);
            session.OpenArena("a", new ArenaOptions { Capacity = 8L << 20 }).RootArray<long>("cells", 4096);
            Console.Write($"open {Environment.ProcessId}\n");
            while (Console.ReadLine() is not null) Commit(session);
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Message}\n");
        }

        return 0;
    }

    /// <summary>Restarts where an older generation will do, and says from which it did or why not.</summary>
    internal static int RestartOlder(string store)
    {
        try
        {
            using SnapshotSession session = SnapshotSession.Restart(
                store, new SnapshotOptions { Restart = new RestartOptions { AllowOlderGeneration = true } });
            Console.Write($"restarted {session.Restarted!.Generation}\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Errno}\n");
        }

        return 0;
    }

    private static void Commit(SnapshotSession session)
    {
        try
        {
            Console.Write($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Message}\n");
        }
    }
}
