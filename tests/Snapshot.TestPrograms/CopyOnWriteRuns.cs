using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>Copy-on-write in processes of their own: one that is killed, one of an ordinary user.</summary>
internal static class CopyOnWriteRuns
{
    internal const int Cells = 4 << 20;

    /// <summary>
    /// Commits one generation, and overwrites everything while the next, which is frozen, is drained. Says
    /// so, and waits to be killed.
    /// </summary>
    internal static int OverwriteWhileDraining(string store)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Span<long> cells = Open(session, CaptureMode.CopyOnWrite).AsSpan();
        cells.Fill(1);
        session.RequestCheckpoint().WaitCommittedInThread();
        cells.Fill(2);
        CheckpointTicket ticket = session.RequestCheckpoint(null, new StandsStill());
        Console.Write($"captured {ticket.WaitCapturedInThread().Mode}\n");
        cells.Fill(3);
        Console.Write("overwritten\n");
        ticket.WaitCommittedInThread();
        return 1;
    }

    /// <summary>
    /// What the process that was killed has left: restarted, and taken on by one generation.
    /// </summary>
    internal static int GoOn(string store)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Span<long> cells = Open(session, CaptureMode.Auto).AsSpan();
        bool isOfFirst = !cells.ContainsAnyExcept(1L);
        cells.Fill(4);
        long? parent = session.RequestCheckpoint().WaitCommittedInThread().Parent;
        Console.Write(
            $"generation {session.Restarted?.Generation}, as it was {isOfFirst}, parent {parent}\n");
        return 0;
    }

    /// <summary>Asks for copy-on-write by name, then leaves the choice to the policy.</summary>
    internal static int AsUser()
    {
        string store = Directory.CreateTempSubdirectory("snapshot-user-").FullName;
        try
        {
            // By name, so that the environment of the tests has no say.
            SnapshotOptions free = new() { Capture = CaptureMode.Auto };
            using (SnapshotSession session = SnapshotSession.Open(store, free))
            {
                Span<long> cells = Open(session, CaptureMode.CopyOnWrite).AsSpan();
                for (int round = 1; round <= 2; round++)
                {
                    cells.Fill(round);
                    CaptureInfo named = session.RequestCheckpoint().WaitCommittedInThread().Capture;
                    Console.Write($"named {named.Mode}: {named.ModeReason}\n");
                }

                using SystemCallWriter writer = new();
                try
                {
                    writer.Write([2], MemoryMarshal.AsBytes(cells[(Cells / 2)..])[..1]);
                    Console.Write("system call succeeded\n");
                }
                catch (IOException error)
                {
                    Console.Write($"system call failed: {error.Message}\n");
                }

                Open(session, CaptureMode.Auto);
                cells[0] = 3;
                CaptureInfo chosen = session.RequestCheckpoint().WaitCommittedInThread().Capture;
                Console.Write($"free {chosen.Mode}: {chosen.ModeReason}\n");
            }

            using SnapshotSession restarted = SnapshotSession.Open(store);
            Span<long> again = Open(restarted, CaptureMode.Auto).AsSpan();
            Console.Write($"restarted {again[0]} {again[1..].ContainsAnyExcept(2L)}\n");
            return 0;
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    private static ArenaArray<long> Open(SnapshotSession session, CaptureMode mode) => session
        .OpenArena("a", new ArenaOptions { Capacity = 256 << 20, Capture = mode }).RootArray<long>(
            "cells", Cells);

    private sealed class StandsStill : IProgress<SnapshotProgress>
    {
        public void Report(SnapshotProgress value)
        {
            if (value.Stage == CheckpointStage.Draining) Thread.Sleep(Timeout.Infinite);
        }
    }
}
