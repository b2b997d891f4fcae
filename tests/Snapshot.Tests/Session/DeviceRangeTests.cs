using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Restart;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Memory that is registered with io_uring is pinned for good, as that of a network card: what the kernel
/// writes to it takes no fault. In a range that is open each image is memory at its capture.
/// </summary>
public sealed unsafe class DeviceRangeTests : IDisposable
{
    private const int MiB = 1 << 20;

    // Not on boundaries: of pages, nor of spans.
    private const int WindowBytes = (2 * MiB) + 100_000;
    private const int CellsBytes = 8 * MiB;
    private const int Offset = (3 * MiB) + 1000;

    private readonly TemporaryStore _store = new();

    public static TheoryData<TrackingMechanism, CaptureMode> Ways => new()
    {
        { TrackingMechanism.WriteProtect, CaptureMode.PreCopy },
        { TrackingMechanism.WriteProtect, CaptureMode.Stage },
        { TrackingMechanism.Auto, CaptureMode.CopyOnWrite },
        { TrackingMechanism.SignalWriteProtect, CaptureMode.Auto },
        { TrackingMechanism.SoftDirty, CaptureMode.Auto },
        { TrackingMechanism.ContentHash, CaptureMode.Stage },
    };

    public void Dispose() => _store.Dispose();

    /// <summary>
    /// Before the pause, while it is drained, and after it; beside it in the same span, too.
    /// </summary>
    [MachineTheory]
    [MemberData(nameof(Ways))]
    public void Each_image_is_memory_at_its_capture(TrackingMechanism tracking, CaptureMode capture)
    {
        using SnapshotSession session = Open(tracking, capture);
        (Arena arena, ArenaArray<byte> cells) = Fill(session);
        session.RequestCheckpoint().WaitCommittedInThread();
        DeviceRange range = arena.OpenForDevices(cells.Pointer + Offset, WindowBytes);
        using RegisteredMemory? memory = RegisteredMemory.TryPin(cells.Pointer + Offset, WindowBytes);
        if (memory is null) return; // no io_uring here

        using Participant me = session.Attach("me");
        byte value = 2;

        // What was copied before the pause is written in it, before the capture.
        HandlerRegistration late = me.RegisterHandler(
            "late", CheckpointHandler.Create(prepare: _ => memory.Receive(2 * MiB, [value, value, value])));
        for (; value < 6; value++)
        {
            memory.Receive(0, Content(value, 70_000));
            cells[Offset - 1] = value;
            using HeldDrain drain = new();
            CheckpointTicket ticket = session.RequestCheckpoint(null, drain);
            ticket.WaitCapturedInThread();
            byte[] captured = cells.AsSpan().ToArray();
            memory.Receive(4096, Content((byte)(value + 100), 200_000));
            cells[Offset + WindowBytes + Pages.Size] ^= 1;
            drain.LetGo();
            ExpectStored(session, arena, cells, ticket.WaitCommittedInThread().Generation, captured);
        }

        late.Dispose();
        range.Dispose();
        range.Dispose();
        for (int round = 0; round < 2; round++)
        {
            long last = session.RequestCheckpoint().WaitCommittedInThread().Generation;
            ExpectStored(session, arena, cells, last, cells.AsSpan().ToArray());
            cells[Offset]++;
        }
    }

    [MachineTheory]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.PreCopy)]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite)]
    public void A_range_is_in_each_checkpoint_and_its_pages_in_an_image_when_they_changed(
        TrackingMechanism tracking, CaptureMode capture)
    {
        const int pages = 300;
        using SnapshotSession session = Open(tracking, capture);
        (Arena arena, ArenaArray<byte> cells) = Fill(session);
        DeviceRange range = arena.OpenForDevices(cells.Pointer + 100, (pages - 1) * Pages.Size);
        DeviceRange inside = arena.OpenForDevices(cells.Pointer + 5000, 10);
        Assert.Equal(((nint)cells.Pointer, pages * Pages.Size), (range.Address, range.Bytes));
        session.RequestCheckpoint().WaitCommittedInThread();
        SnapshotInfo quiet = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(pages, quiet.Capture.PagesTracked);
        Assert.Equal(0, quiet.PagesChanged);
        Assert.Equal(0, quiet.Capture.Pause.ManagedBytesAllocated);
        cells[Pages.Size]++;
        Assert.Equal(1, session.RequestCheckpoint().WaitCommittedInThread().PagesChanged);

        range.Dispose();
        Assert.Equal(pages, session.RequestCheckpoint().WaitCommittedInThread().Capture.PagesTracked);
        Assert.Equal(1, session.RequestCheckpoint().WaitCommittedInThread().Capture.PagesTracked);
        inside.Dispose();
        session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(0, session.RequestCheckpoint().WaitCommittedInThread().Capture.PagesTracked);
    }

    /// <summary>The tracker that comes in the place of another one finds what is open.</summary>
    [MachineFact]
    [Needs(Capability.WriteTracking, Capability.CopyOnWrite)]
    public void A_range_stays_open_when_the_arena_is_captured_in_another_way()
    {
        using SnapshotSession session = Open(TrackingMechanism.Auto, CaptureMode.CopyOnWrite);
        (Arena arena, ArenaArray<byte> cells) = Fill(session);
        using DeviceRange range = arena.OpenForDevices(cells);
        using RegisteredMemory? memory = RegisteredMemory.TryPin(cells.Pointer, WindowBytes);
        if (memory is null) return; // no io_uring here
        for (int round = 0; round < 6; round++)
        {
            session.OpenArena("a", new ArenaOptions
            {
                Capacity = arena.Capacity,
                Capture = round % 2 == 0 ? CaptureMode.CopyOnWrite : CaptureMode.PreCopy,
            });
            for (int again = 0; again < 2; again++)
            {
                memory.Receive(20_000 * round, Content((byte)(round + 10 + (again * 50)), 100_000));
                long generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
                ExpectStored(session, arena, cells, generation, cells.AsSpan().ToArray());
            }
        }
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public void What_a_lazy_restart_has_not_fetched_is_fetched_when_it_is_opened()
    {
        using LazyStore store = new(seed: 3, images: 2);
        using SnapshotSession session = store.RestartOnDemand();
        ArenaArray<long> cells = LazyStore.Cells(session);
        Arena arena = session.OpenArena("a");
        long before = session.Restarted!.Residency.BytesResident;
        using DeviceRange range = arena.OpenForDevices(cells);
        Assert.True(session.Restarted.Residency.BytesResident > before);
        using RegisteredMemory? memory = RegisteredMemory.TryPin((byte*)cells.Pointer, WindowBytes);
        memory?.Receive(5000, Content(77, 50_000));
        byte[] expected = store.Content;
        if (memory is not null) expected.AsSpan(5000, 50_000).Fill(77);
        long generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
        byte[] image = StoredMemory.Read(session.Store, generation, "a");
        long first = (byte*)cells.Pointer - (byte*)arena.BaseAddress;
        Assert.True(image.AsSpan((int)first, expected.Length).SequenceEqual(expected));
    }

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void More_than_there_is_room_for_fails_the_checkpoint_and_says_why()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path, Small(CaptureMode.Stage));
        ArenaArray<byte> cells = FillSlowly(session);
        using DeviceRange range = session.OpenArena("a").OpenForDevices(cells);
        SnapshotException full = Assert.Throws<SnapshotException>(
            () => session.RequestCheckpoint().WaitCommittedInThread());
        Assert.Equal(SnapshotErrorCode.StagingFull, full.Code);
        Assert.Contains("SnapshotTuning.StagingLimit", full.Message, StringComparison.Ordinal);
    }

    /// <summary>The pause cannot wait for the drain, as writes can.</summary>
    [MachineFact]
    [Needs(Capability.CopyOnWrite)]
    public void Where_frozen_memory_has_too_little_room_for_copies_that_for_need_is_used()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path, Small(CaptureMode.CopyOnWrite));
        ArenaArray<byte> cells = FillSlowly(session);
        Arena arena = session.OpenArena("a");
        using DeviceRange range = arena.OpenForDevices(cells);
        for (byte round = 0; round < 3; round++)
        {
            byte[] captured = cells.AsSpan().ToArray();
            using HeldDrain drain = new();
            CheckpointTicket ticket = drain.Request(session);
            cells.AsSpan().Fill((byte)(100 + round));
            drain.LetGo();
            ExpectStored(session, arena, cells, ticket.WaitCommittedInThread().Generation, captured);
        }
    }

    [Fact]
    public void What_is_not_in_the_arena_is_refused_and_a_closed_session_has_closed_its_ranges()
    {
        DeviceRange left;
        Arena arena;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            (arena, ArenaArray<byte> cells) = Fill(session);
            byte* first = (byte*)arena.BaseAddress, end = first + arena.CommittedBytes;
            Refused(() => arena.OpenForDevices(first - 1, 1));
            Refused(() => arena.OpenForDevices(end, 1));
            Refused(() => arena.OpenForDevices(end - 1, 2));
            Refused(() => arena.OpenForDevices(first, -1));
            Refused(() => arena.OpenForDevices(first, long.MaxValue));
            Refused(() => arena.OpenForDevices(null, 1));
            using (DeviceRange none = arena.OpenForDevices(default(ArenaArray<long>)))
                Assert.Equal(0, none.Bytes);
            using (DeviceRange all = arena.OpenForDevices(first, arena.CommittedBytes))
                Assert.Equal((arena.BaseAddress, arena.CommittedBytes), (all.Address, all.Bytes));
            left = arena.OpenForDevices(cells);
        }

        left.Dispose();
        left.Dispose();
        Assert.Throws<ObjectDisposedException>(() => arena.OpenForDevices(null, 0));

        static void Refused(Func<DeviceRange> open) => Assert.Throws<ArgumentOutOfRangeException>(open);
    }

    private static SnapshotOptions Small(CaptureMode capture) =>
        new() { Capture = capture, Tuning = new SnapshotTuning { StagingLimit = 6 * MiB } };

    /// <summary>So that each checkpoint has room for what changed.</summary>
    private static ArenaArray<byte> FillSlowly(SnapshotSession session)
    {
        ArenaArray<byte> cells = session.OpenArena("a", new ArenaOptions { Capacity = 64 * MiB })
            .RootArray<byte>("cells", CellsBytes);
        for (int at = 0; at < CellsBytes; at += MiB)
        {
            cells.AsSpan()[at..(at + MiB)].Fill((byte)(1 + (at / MiB)));
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        return cells;
    }

    private SnapshotSession Open(TrackingMechanism tracking, CaptureMode capture) => SnapshotSession.Open(
        _store.Path,
        new SnapshotOptions { Capture = capture, Tuning = new SnapshotTuning { Tracking = tracking } });

    private static (Arena Arena, ArenaArray<byte> Cells) Fill(SnapshotSession session)
    {
        Arena arena = session.OpenArena("a", new ArenaOptions { Capacity = 64 * MiB });
        ArenaArray<byte> cells = arena.RootArray<byte>("cells", CellsBytes);
        cells.AsSpan().Fill(1);
        return (arena, cells);
    }

    private static byte[] Content(byte value, int bytes)
    {
        byte[] content = new byte[bytes];
        content.AsSpan().Fill(value);
        return content;
    }

    private static void ExpectStored(
        SnapshotSession session, Arena arena, ArenaArray<byte> cells, long generation, byte[] expected)
    {
        byte[] image = StoredMemory.Read(session.Store, generation, "a");
        int first = (int)(cells.Pointer - (byte*)arena.BaseAddress);
        int differs = image.AsSpan(first, expected.Length).CommonPrefixLength(expected);
        Assert.True(differs == expected.Length, $"generation {generation} differs at byte {differs}");
    }
}
