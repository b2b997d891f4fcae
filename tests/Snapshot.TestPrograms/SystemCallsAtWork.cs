using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// A session in which system calls must work, as those that receive and send messages: what of copy-on-write
/// and of a lazy restart is refused, and whether the bytes are right.
/// </summary>
internal static class SystemCallsAtWork
{
    private const int Cells = 1 << 20;
    private const int PageCells = 512;

    internal static int Run()
    {
        string folder = Directory.CreateTempSubdirectory("snapshot-calls-").FullName;
        try
        {
            string store = Path.Combine(folder, "store");
            string session = Opened(() => SnapshotSession.Open(store, Options(CaptureMode.CopyOnWrite)));
            Console.Write($"session {session}\n");
            SnapshotTuning signals = new() { Tracking = TrackingMechanism.SignalWriteProtect };
            string bySignals = Opened(
                () => SnapshotSession.Open(store, Options(CaptureMode.Auto, tuning: signals)));
            Console.Write($"signals {bySignals}\n");
            (long generation, long[] captured) = CaptureAndWrite(store, isRefused: session != "opened");
            Restart(store, generation, captured);
            Console.Write("right\n");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (long Generation, long[] Captured) CaptureAndWrite(string store, bool isRefused)
    {
        using SnapshotSession session = SnapshotSession.Open(store, Options(CaptureMode.Auto));
        string arena = Opened(() => Open(session, CaptureMode.CopyOnWrite));
        Console.Write($"arena {arena}\n");
        Span<long> cells = Open(session, isRefused ? CaptureMode.Auto : CaptureMode.CopyOnWrite).AsSpan();
        using SystemCallWriter writer = new();
        CaptureInfo? mode = null;
        long generation = 0;
        long[] captured = [];
        for (int round = 1; round <= 3; round++)
        {
            for (int cell = 0; cell < Cells; cell++) cells[cell] = ((long)round << 32) + cell;
            captured = cells.ToArray();
            using HeldAtDrain held = new();
            CheckpointTicket ticket = session.RequestCheckpoint(null, held);
            mode = ticket.WaitCapturedInThread();
            held.Await();
            WriteByCalls(writer, cells, 0x77);
            held.LetGo();
            generation = ticket.WaitCommittedInThread().Generation;
        }

        Console.Write($"captured {mode!.Mode}\n");
        return (generation, captured);
    }

    private static void Restart(string store, long generation, long[] captured)
    {
        RestartOptions lazily = new()
        { Generation = generation, Fill = RestartFill.Lazy, StreamingThreads = 0 };
        using SnapshotSession session = SnapshotSession.Restart(store, Options(CaptureMode.Auto, lazily));
        RestartInfo info = session.Restarted!;
        Console.Write($"fill {info.Mode} {info.FillReason}\n");
        if (!session.OpenArena("a").TryGetRoot("cells", out ArenaArray<long> root))
            throw new InvalidOperationException("the root is not there");
        Span<long> cells = root.AsSpan();
        using SystemCallWriter writer = new();
        WriteByCalls(writer, cells, 0x55);

        // A message that is sent from a page which nobody has touched.
        byte[] received = new byte[4096];
        writer.Write(Bytes(cells, page: 9), received);
        ReadOnlySpan<long> sent = captured.AsSpan(9 * PageCells, PageCells);
        Check(MemoryMarshal.AsBytes(sent).SequenceEqual(received));
        for (int page = 0; page < Cells / PageCells; page++)
        {
            if (page is 1 or 1001 or 1501) continue;
            Check(cells.Slice(page * PageCells, PageCells)
                .SequenceEqual(captured.AsSpan(page * PageCells, PageCells)));
        }
    }

    /// <summary>Messages that arrive, by read(2) and by process_vm_readv, in pages here and there.</summary>
    private static unsafe void WriteByCalls(SystemCallWriter writer, Span<long> cells, byte value)
    {
        Span<byte> message = new byte[4096];
        message.Fill(value);
        writer.Write(message, Bytes(cells, page: 1));
        writer.Write(message, Bytes(cells, page: 1001));
        fixed (byte* from = message, to = Bytes(cells, page: 1501)) LibC.ReadMemory(from, to, 4096);
        foreach (int page in new[] { 1, 1001, 1501 }) Check(!Bytes(cells, page).ContainsAnyExcept(value));
    }

    private static Span<byte> Bytes(Span<long> cells, int page) =>
        MemoryMarshal.AsBytes(cells.Slice(page * PageCells, PageCells));

    private static SnapshotOptions Options(
        CaptureMode mode, RestartOptions? restart = null, SnapshotTuning? tuning = null) => new()
        {
            SystemCallsMustWork = true,
            Capture = mode,
            Restart = restart ?? new RestartOptions { Fill = RestartFill.Eager },
            Tuning = tuning ?? new SnapshotTuning { Tracking = TrackingMechanism.Auto },
        };

    private static ArenaArray<long> Open(SnapshotSession session, CaptureMode mode) => session
        .OpenArena("a", new ArenaOptions { Capacity = 64 << 20, Capture = mode }).RootArray<long>(
            "cells", Cells);

    private static string Opened<T>(Func<T> open)
    {
        try
        {
            T opened = open();
            (opened as IDisposable)?.Dispose();
            return "opened";
        }
        catch (SnapshotException error)
        {
            return $"{error.Code} {error.Message}";
        }
    }

    private static void Check(bool isRight)
    {
        if (!isRight) throw new InvalidOperationException("the bytes are others");
    }

    /// <summary>Keeps a checkpoint captured and not drained.</summary>
    private sealed class HeldAtDrain : IProgress<SnapshotProgress>, IDisposable
    {
        private readonly ManualResetEventSlim _drains = new(), _go = new();

        public void Report(SnapshotProgress value)
        {
            if (value.Stage != CheckpointStage.Draining) return;
            _drains.Set();
            _go.Wait();
        }

        internal void Await() => _drains.Wait();

        internal void LetGo() => _go.Set();

        public void Dispose()
        {
            _drains.Dispose();
            _go.Dispose();
        }
    }
}
