using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Storage;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Between the capture and the drain the application does what it likes with frozen memory; the image has
/// what was there at the capture, and the next one what is there then.
/// </summary>
[Needs(Capability.CopyOnWrite)]
public sealed unsafe class CopyOnWriteDrainTests : IDisposable
{
    private const int MiB = 1 << 20;

    private static readonly ArenaOptions s_arena =
        new() { Capacity = 256L << 20, Capture = CaptureMode.CopyOnWrite };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineFact]
    public void Memory_freed_excluded_reallocated_or_written_while_it_is_drained_is_stored_as_captured()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", s_arena);
        byte*[] blocks = new byte*[4];
        for (int index = 0; index < blocks.Length; index++)
            blocks[index] = (byte*)arena.Allocate(3 * MiB, Pages.Size);
        for (int round = 0; round < 3; round++)
        {
            for (int index = 0; index < blocks.Length; index++)
                new Span<byte>(blocks[index], 3 * MiB).Fill((byte)(index + 1 + (10 * round)));
            using HeldDrain drain = new();
            CheckpointTicket ticket = drain.Request(session);
            Assert.Equal(CaptureMode.CopyOnWrite, ticket.WaitCapturedInThread().Mode);
            long[] offsets = [.. Enumerable.Range(0, 4).Select(
                index => blocks[index] - (byte*)arena.BaseAddress)];

            arena.Free(blocks[0]);
            blocks[0] = (byte*)arena.Allocate(3 * MiB, Pages.Size);
            new Span<byte>(blocks[0], MiB).Fill(99);
            arena.Exclude(blocks[1], 3 * MiB);
            new Span<byte>(blocks[1], 3 * MiB).Fill(98);
            new Span<byte>(blocks[2], MiB).Fill(97);
            drain.LetGo();
            SnapshotInfo info = ticket.WaitCommittedInThread();

            byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
            for (int index = 0; index < blocks.Length; index++)
                ExpectAll(
                    image.AsSpan((int)offsets[index], 3 * MiB), (byte)(index + 1 + (10 * round)), $"{index}");

            info = session.RequestCheckpoint().WaitCommittedInThread();
            image = StoredMemory.Read(session.Store, info.Generation, "a");
            int Offset(int index) => (int)(blocks[index] - (byte*)arena.BaseAddress);
            ExpectAll(image.AsSpan(Offset(0), MiB), 99, "written where it was freed");
            ExpectAll(image.AsSpan(Offset(0) + MiB, 2 * MiB), 0, "freed");
            ExpectAll(image.AsSpan(Offset(1), 3 * MiB), 0, "excluded");
            ExpectAll(image.AsSpan(Offset(2), MiB), 97, "written");
            arena.Include(blocks[1], 3 * MiB);
        }
    }

    [MachineFact]
    [Needs(Capability.CopyOnWriteInSystemCalls)]
    public void System_calls_write_frozen_memory_and_the_image_has_what_was_there_before()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", s_arena);
        ArenaArray<byte> bytes = arena.RootArray<byte>("bytes", 4 * MiB);
        bytes.AsSpan().Fill(1);
        string path = _store.File("source");
        File.WriteAllBytes(path, Enumerable.Repeat((byte)2, 2 * Pages.Size).ToArray());
        using HeldDrain drain = new();
        CheckpointTicket ticket = drain.Request(session);
        using (SystemCallWriter writer = new())
            writer.Write(Enumerable.Repeat((byte)2, 5000).ToArray(), bytes.AsSpan(100, 5000));
        using (Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path))
            Assert.Equal(2 * Pages.Size, RandomAccess.Read(file, bytes.AsSpan(3 * MiB, 2 * Pages.Size), 0));
        drain.LetGo();
        int offset = (int)((byte*)bytes.Pointer - (byte*)arena.BaseAddress);
        long generation = ticket.WaitCommittedInThread().Generation;
        ExpectAll(StoredMemory.Read(session.Store, generation, "a").AsSpan(offset, 4 * MiB), 1, "before");
        generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
        byte[] after = StoredMemory.Read(session.Store, generation, "a");
        ExpectAll(after.AsSpan(offset + 100, 5000), 2, "from the pipe");
        ExpectAll(after.AsSpan(offset + (3 * MiB), 2 * Pages.Size), 2, "from the file");
    }

    /// <summary>One block of room for copies, and a drain that stands still.</summary>
    [MachineFact]
    public void Writers_without_room_for_copies_are_slowed_and_neither_collections_nor_the_checkpoint_hang()
    {
        using FailingMedium medium = new(new DirectoryMedium(_store.Path, true));
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning { StagingLimit = 2 << 20 },
            Capture =
            CaptureMode.CopyOnWrite
        };
        using SnapshotSession session = SnapshotSession.Open(
            SnapshotStore.Open(medium, new StoreOptions()), options);
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 256L << 20 });
        ArenaArray<long> cells = arena.RootArray<long>("cells", 16 * MiB / sizeof(long));
        new Random(7).NextBytes(MemoryMarshal.AsBytes(cells.AsSpan()));
        using ManualResetEventSlim blocked = new(), go = new();
        medium.Fails = (step, file) =>
        {
            if (step != "write" || !file.EndsWith(".partial", StringComparison.Ordinal)) return false;
            blocked.Set();
            go.Wait();
            return false;
        };
        CheckpointTicket ticket = session.RequestCheckpoint();
        ticket.WaitCapturedInThread();
        byte[] captured = MemoryMarshal.AsBytes(cells.AsSpan()).ToArray();
        blocked.Wait();

        bool stop = false;
        Thread collecting = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                GC.Collect();

                // The drain has a low priority: a thread that never pauses would leave it nothing.
                Thread.Sleep(1);
            }
        });
        collecting.Start();
        int longs = (int)cells.Length;
        for (int place = 1; place <= 4; place++) cells[longs - (place * (Pages.HugeSize / sizeof(long)))] = 1;
        Assert.False(ticket.Committed.IsCompleted);
        go.Set();
        for (int at = 0; at < longs; at += Pages.Size / sizeof(long)) cells[at] = at;
        SnapshotInfo info = ticket.WaitCommittedInThread();
        Volatile.Write(ref stop, true);
        collecting.Join();

        Assert.True(info.CopyOnWrite!.Waits > 0, "writes waited for the drain");
        Assert.True(info.CopyOnWrite.PagesCopied > 0, "pages were copied");
        Assert.True(info.CopyOnWrite.Waiting > TimeSpan.Zero, "waiting took time");
        int offset = (int)((byte*)cells.Pointer - (byte*)arena.BaseAddress);
        byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
        Assert.True(
            image.AsSpan(offset, captured.Length).SequenceEqual(captured), "the image is of the capture");
        info = session.RequestCheckpoint().WaitCommittedInThread();
        image = StoredMemory.Read(session.Store, info.Generation, "a");
        Assert.True(
            image.AsSpan(offset, captured.Length).SequenceEqual(MemoryMarshal.AsBytes(cells.AsSpan())),
            "the next image has every write");
    }

    [MachineTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_drain_that_ended_early_had_frozen_is_in_the_next_increment(bool cancelled)
    {
        using FailingMedium medium = new(new DirectoryMedium(_store.Path, true));
        using SnapshotSession session = SnapshotSession.Open(
            SnapshotStore.Open(medium, new StoreOptions()), new SnapshotOptions());
        Arena arena = session.OpenArena("a", s_arena);
        ArenaArray<byte> bytes = arena.RootArray<byte>("bytes", 8 * MiB);
        bytes.AsSpan().Fill(1);
        session.RequestCheckpoint().WaitCommittedInThread();
        bytes.AsSpan(0, 6 * MiB).Fill(2);
        using CancellationTokenSource source = new();
        using HeldDrain drain = new();
        CheckpointTicket ticket = drain.Request(session, source.Token);
        bytes.AsSpan(0, MiB).Fill(3);
        if (cancelled) source.Cancel();
        else medium.Fails = (step, _) => step == "write";
        drain.LetGo();
        Assert.ThrowsAny<Exception>(ticket.WaitCommittedInThread);
        medium.Fails = (_, _) => false;
        bytes.AsSpan(7 * MiB, MiB).Fill(4);

        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        // The span of the unchanged pages may have been opened ahead of the sweep, so that the drain that
        // ended early had them, too: then nobody knows that they are as before.
        Assert.InRange(info.PagesChanged, 7 * MiB / Pages.Size, (8 * MiB / Pages.Size) + 16);
        byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
        int offset = (int)((byte*)bytes.Pointer - (byte*)arena.BaseAddress);
        ExpectAll(image.AsSpan(offset, MiB), 3, "written while it was drained");
        ExpectAll(image.AsSpan(offset + MiB, 5 * MiB), 2, "frozen");
        ExpectAll(image.AsSpan(offset + (6 * MiB), MiB), 1, "unchanged");
        ExpectAll(image.AsSpan(offset + (7 * MiB), MiB), 4, "written after the failure");
    }

    private static void ExpectAll(Span<byte> bytes, byte value, string what)
    {
        int at = bytes.IndexOfAnyExcept(value);
        if (at >= 0) Assert.Fail($"{what}: byte {at} is {bytes[at]}, not {value}");
    }
}
