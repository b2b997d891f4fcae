using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>Lazy restarts that end as a process of their own must, or run as another user.</summary>
internal static class LazyRestarts
{
    private const string ArenaName = "a";
    private const string RootName = "cells";

    /// <summary>Touches every page of the image in order; one of them may be damaged.</summary>
    internal static int TouchAll(string store)
    {
        using SnapshotSession session = RestartOnDemand(store, streaming: 0);
        ArenaArray<long> cells = Cells(session);
        Console.Write("touching\n");
        Console.WriteLine(Sum(cells));
        return 0;
    }

    /// <summary>
    /// Closes the session under two participants, of which one is reading everything, and the other begins to
    /// only then.
    /// </summary>
    internal static int CloseUnderParticipant(string store, int streaming)
    {
        SnapshotSession session = RestartOnDemand(store, streaming);
        ArenaArray<long> cells = Cells(session);
        using CountdownEvent attached = new(2);
        using ManualResetEventSlim closed = new();
        long sum = 0, sumMeanwhile = 0;
        Thread late = new(() =>
        {
            using Participant me = session.Attach("late");
            attached.Signal();
            closed.Wait();
            sum = Sum(cells);
        });
        Thread reading = new(() =>
        {
            using Participant me = session.Attach("reading");
            attached.Signal();
            sumMeanwhile = Sum(cells);
            closed.Wait();
        });
        late.Start();
        reading.Start();
        attached.Wait();
        session.Dispose();
        closed.Set();
        late.Join();
        reading.Join();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long again = Sum(cells);
        Console.Write($"sum {sum}\n");
        return again == sum && sumMeanwhile == sum ? 0 : 1;
    }

    /// <summary>
    /// As an ordinary user: makes a store, restarts lazily, and says what came of it, and what a system call
    /// does with a page that is not there.
    /// </summary>
    internal static int AsUser()
    {
        string store = Directory.CreateTempSubdirectory("snapshot-user-").FullName;
        try
        {
            using (SnapshotSession session = SnapshotSession.Open(store))
            {
                ArenaArray<long> cells = session.OpenArena(
                    ArenaName, new ArenaOptions { Capacity = 64 << 20 })
                    .RootArray<long>(RootName, 1 << 20);
                for (int index = 0; index < cells.Length; index++) cells[index] = index;
                session.RequestCheckpoint().WaitCommittedInThread();
            }

            using SnapshotSession restarted = RestartOnDemand(store, streaming: 0);
            bool waits = restarted.Restarted!.WaitsInSystemCalls;
            ArenaArray<long> again = restarted.OpenArena(ArenaName).RootArray<long>(RootName, 1 << 20);
            Console.Write($"waits {waits}, system call {ReadInto(again.AsSpan(1 << 19, 512))}\n");
            Console.Write($"sum {Sum(again)}\n");
            return 0;
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    private static string ReadInto(Span<long> page)
    {
        using SystemCallWriter writer = new();
        try
        {
            writer.Write([0], MemoryMarshal.AsBytes(page)[..1]);
            return "succeeded";
        }
        catch (IOException)
        {
            return "failed";
        }
    }

    private static SnapshotSession RestartOnDemand(string store, int streaming) => SnapshotSession.Restart(
        store,
        new SnapshotOptions
        {
            Restart =
            new RestartOptions { Fill = RestartFill.Lazy, StreamingThreads = streaming }
        });

    private static ArenaArray<long> Cells(SnapshotSession session)
    {
        if (!session.OpenArena(ArenaName).TryGetRoot(RootName, out ArenaArray<long> cells))
            throw new InvalidOperationException("the root is not there");
        return cells;
    }

    private static long Sum(ArenaArray<long> cells)
    {
        long sum = 0;
        for (long index = 0; index < cells.Length; index++) sum = unchecked(sum + cells[index]);
        return sum;
    }
}
