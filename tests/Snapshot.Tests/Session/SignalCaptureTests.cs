using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Copy-on-write without any permission: a handler of SIGSEGV in a process that uses the signal itself.
/// </summary>
public sealed class SignalCaptureTests : IDisposable
{
    private const int Writers = 4;
    private const int Least = 3;
    private const int CellsOfWriter = 512 << 10;
    private static readonly SnapshotOptions s_bySignals =
        new() { Tuning = new SnapshotTuning { Tracking = TrackingMechanism.SignalWriteProtect } };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    /// <summary>
    /// The rules of the handler, all at once: writers, forced collections, and faults of the runtime's own.
    /// </summary>
    [Fact]
    public void Every_image_is_of_one_moment_while_garbage_is_collected_and_null_is_dereferenced()
    {
        int checkpoints = 0;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, s_bySignals))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 128L << 20 });
            using CancellationTokenSource ending = new();
            Thread[] threads =
            [
                .. Enumerable.Range(0, Writers)
                    .Select(writer => new Thread(() => Write(session, arena, writer, ending.Token))),
                new Thread(() => Collect(ending.Token)), new Thread(() => Dereference(ending.Token)),
            ];
            foreach (Thread thread in threads) thread.Start();
            DateTime end = DateTime.UtcNow + Soak.Time(5);
            for (; checkpoints < Least || DateTime.UtcNow < end; checkpoints++)
            {
                SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
                Assert.Equal(
                    (CaptureMode.CopyOnWrite, TrackingMechanism.SignalWriteProtect),
                    (info.Capture.Regions[0].Mode, info.Capture.Regions[0].Tracking));
            }

            ending.Cancel();
            foreach (Thread thread in threads) thread.Join();
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, s_bySignals);
        Arena found = restarted.OpenArena("a");
        for (int writer = 0; writer < Writers; writer++)
        {
            // At a safepoint all cells of a writer hold its round; the last checkpoint was taken at one.
            ArenaArray<long> cells = found.RootArray<long>(NameOf(writer), CellsOfWriter);
            long round = cells[0];
            Assert.True(round > 0);
            Assert.Equal(-1, cells.AsSpan().IndexOfAnyExcept(round));
        }
    }

    [Fact]
    public void A_system_call_fails_with_an_error_and_succeeds_after_OpenForWrite()
    {
        string file = _store.File("data");
        File.WriteAllBytes(file, [7, 7, 7, 7]);
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, s_bySignals))
        {
            Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 16L << 20 });
            ArenaArray<byte> bytes = arena.RootArray<byte>("bytes", 4096);
            bytes.AsSpan().Fill(1);
            session.RequestCheckpoint().WaitCommittedInThread();
            using SafeFileHandle handle = File.OpenHandle(file);
            Assert.ThrowsAny<IOException>(() => RandomAccess.Read(handle, bytes.AsSpan(), 0));
            arena.OpenForWrite(bytes);
            Assert.Equal(4, RandomAccess.Read(handle, bytes.AsSpan(), 0));
            Assert.Equal(2, session.RequestCheckpoint().WaitCommittedInThread().Generation);
            unsafe
            {
                Assert.Throws<ArgumentException>(() => arena.OpenForWrite(bytes.Pointer, 1L << 40));
                Assert.Throws<ArgumentOutOfRangeException>(() => arena.OpenForWrite(bytes.Pointer, -1));
                arena.OpenForWrite(null, 0);
            }
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, s_bySignals);
        Assert.Equal(
            [7, 7, 7, 7, 1], restarted.OpenArena("a").RootArray<byte>("bytes", 4096).AsSpan()[..5].ToArray());
    }

    [Fact]
    public void What_is_not_possible_beside_it_is_refused()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path, s_bySignals);
        foreach (CaptureMode mode in (CaptureMode[])[CaptureMode.Stage, CaptureMode.PreCopy])
        {
            SnapshotException staged = Assert.Throws<SnapshotException>(
                () => session.OpenArena("a", new ArenaOptions { Capture = mode }));
            Assert.Equal(SnapshotErrorCode.Unsupported, staged.Code);
            Assert.Contains(
                "tracks by signals captures by copy-on-write", staged.Message, StringComparison.Ordinal);
        }

        SnapshotException kernels =
            Assert.Throws<SnapshotException>(() => session.OpenNative(session.OpenArena("native")));
        Assert.Equal(SnapshotErrorCode.Unsupported, kernels.Code);
    }

    private static void Write(SnapshotSession session, Arena arena, int writer, CancellationToken ending)
    {
        using Participant me = session.Attach(NameOf(writer));
        ArenaArray<long> cells = arena.RootArray<long>(NameOf(writer), CellsOfWriter);
        for (long round = 1; !ending.IsCancellationRequested; round++)
        {
            cells.AsSpan().Fill(round);
            me.Poll();
        }
    }

    private static void Collect(CancellationToken ending)
    {
        // Each stops all threads. One right after the other would let nobody else get anywhere.
        while (!ending.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(2))) GC.Collect();
    }

    private static void Dereference(CancellationToken ending)
    {
        string? nothing = ending.CanBeCanceled ? null : "";
        while (!ending.IsCancellationRequested) Assert.Throws<NullReferenceException>(() => nothing!.Length);
    }

    private static string NameOf(int writer) => writer.ToString(CultureInfo.InvariantCulture);
}
