using System.Runtime.InteropServices;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

public sealed unsafe class RoundTripTests : IDisposable
{
    private static readonly ArenaOptions s_small = new() { Capacity = 256L << 20 };

    private readonly TemporaryStore _store = new();

    private struct Counter
    {
        public long Value;
        public long* Cell;
    }

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.PreCopy)]
    [InlineData(TrackingMechanism.WriteProtect, CaptureMode.Stage)]
    [InlineData(TrackingMechanism.ContentHash, CaptureMode.Stage)]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite)]
    public void State_roots_and_pointers_come_back_at_their_addresses(
        TrackingMechanism tracking, CaptureMode capture)
    {
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning { Tracking = tracking },
            Capture = capture,
            Restart = new RestartOptions { Fill = RestartFill.Eager },
            Encoding = BlockEncoding.None,
        };
        nint cell;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            Assert.False(session.IsRestarted);
            Arena first = session.OpenArena("first", s_small), second = session.OpenArena("second", s_small);
            ref Counter counter = ref first.Root<Counter>("counter");
            ArenaArray<long> cells = second.RootArray<long>("cells", 100_000);
            counter.Value = 7;
            counter.Cell = cells.Pointer + 99_999;
            cell = (nint)counter.Cell;
            for (long index = 0; index < cells.Length; index++) cells[index] = index * index;
            SnapshotInfo full = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.Null(full.Parent);
            Assert.Equal(capture, full.Capture.Mode);
            Assert.Equal(0, full.Capture.Pause.ManagedBytesAllocated);

            counter.Value = 8;
            cells[99_999] = -1;
            SnapshotInfo increment = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.Equal(full.Generation, increment.Parent);
            Assert.InRange(increment.PagesChanged, 2, 8);
            Assert.True(increment.BytesWritten < full.BytesWritten / 4);
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, options);
        Assert.Equal(2, restarted.Restarted!.Generation);
        Assert.Equal(2, restarted.Restarted.ChainLength);
        ref Counter again = ref restarted.OpenArena("first").Root<Counter>("counter");
        ArenaArray<long> restored = restarted.OpenArena("second").RootArray<long>("cells", 100_000);
        Assert.Equal(8, again.Value);
        Assert.Equal(cell, (nint)again.Cell);
        Assert.Equal(-1, *again.Cell);
        for (long index = 0; index < restored.Length - 1; index++)
            Assert.Equal(index * index, restored[index]);

        // And it goes on: what the restart filled in does not count as changed.
        again.Value = 9;
        SnapshotInfo next = restarted.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(2, next.Parent);
        Assert.InRange(next.PagesChanged, 1, 4);
    }

    [Fact]
    public void A_page_rewritten_with_its_content_is_not_written_again()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("a", s_small);
        ArenaArray<long> array = arena.RootArray<long>("array", 64 * 512);
        array.AsSpan().Fill(5);
        session.RequestCheckpoint().WaitCommittedInThread();
        array.AsSpan().Fill(5);
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        if (info.Capture.Regions[0].Tracking != TrackingMechanism.ContentHash)
            Assert.InRange(info.Capture.PagesTracked, 64, long.MaxValue);
        Assert.Equal(0, info.PagesChanged);
    }

    [Fact]
    public void Freed_and_excluded_memory_reads_as_zero_after_a_restart_and_what_was_included_again_is_there()
    {
        nint freed;
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            Arena arena = session.OpenArena("a", s_small);
            ArenaArray<byte> scratch = arena.RootArray<byte>("scratch", 1 << 20);
            ArenaArray<byte> included = arena.RootArray<byte>("included", 1 << 20);
            ArenaArray<byte> temporary = arena.Allocate<byte>(1 << 20);
            freed = (nint)temporary.Pointer;
            scratch.AsSpan().Fill(1);
            included.AsSpan().Fill(3);
            temporary.AsSpan().Fill(2);
            session.RequestCheckpoint().WaitCommittedInThread();

            arena.Exclude(scratch);
            arena.Exclude(included);
            scratch.AsSpan().Fill(4);
            included.AsSpan().Fill(3);
            arena.Free(temporary);
            session.RequestCheckpoint().WaitCommittedInThread();

            arena.Include(included);
            included.AsSpan().Fill(3);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Arena again = restarted.OpenArena("a");
        Assert.False(
            again.RootArray<byte>("scratch", 1 << 20).AsSpan(4096, (1 << 20) - 8192).ContainsAnyExcept(
                (byte)0));
        Assert.False(again.RootArray<byte>("included", 1 << 20).AsSpan().ContainsAnyExcept((byte)3));
        Assert.False(new Span<byte>((void*)freed, 1 << 20).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_protected_array_comes_back_by_copy_and_only_its_changed_pages_are_written()
    {
        long[] data = GC.AllocateArray<long>(10_000, pinned: true);
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            session.Protect("data", data);
            for (int index = 0; index < data.Length; index++) data[index] = index + 1;
            session.RequestCheckpoint().WaitCommittedInThread();
            data[5000] = -5;
            Assert.Equal(1, session.RequestCheckpoint().WaitCommittedInThread().PagesChanged);
        }

        long[] fresh = GC.AllocateArray<long>(10_000, pinned: true);
        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        SnapshotException unclaimed = Assert.Throws<SnapshotException>(
            () => restarted.RequestCheckpoint().WaitCommittedInThread());
        Assert.Equal(SnapshotErrorCode.Unclaimed, unclaimed.Code);
        Assert.Contains("data", unclaimed.Message, StringComparison.Ordinal);
        SnapshotException length = Assert.Throws<SnapshotException>(
            () => restarted.Protect("data", GC.AllocateArray<long>(9_999, pinned: true)));
        Assert.Equal(SnapshotErrorCode.LayoutMismatch, length.Code);
        restarted.Protect("data", fresh);
        Assert.Equal(data, fresh);
        Assert.Equal(0, restarted.RequestCheckpoint().WaitCommittedInThread().PagesChanged);
    }

    [Fact]
    public void Protected_native_memory_comes_back_where_the_program_has_it_now()
    {
        long* first = (long*)NativeMemory.AllocZeroed(5000);
        long* second = (long*)NativeMemory.AllocZeroed(5000);
        try
        {
            using (SnapshotSession session = SnapshotSession.Open(_store.Path))
            {
                session.Protect("native", first, 5000);
                first[624] = 7;
                session.RequestCheckpoint().WaitCommittedInThread();
            }

            using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
            restarted.Protect("native", second, 5000);
            Assert.Equal(7, second[624]);
        }
        finally
        {
            NativeMemory.Free(first);
            NativeMemory.Free(second);
        }
    }

    [Fact]
    public void An_arena_that_grew_between_checkpoints_is_whole_after_a_restart()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            Arena arena = session.OpenArena("a", s_small);
            arena.RootArray<int>("small", 10).AsSpan().Fill(1);
            session.RequestCheckpoint().WaitCommittedInThread();
            arena.RootArray<int>("large", 20_000_000).AsSpan(19_000_000, 10).Fill(2);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Arena again = restarted.OpenArena("a");
        Assert.Equal(1, again.RootArray<int>("small", 10)[9]);
        ArenaArray<int> large = again.RootArray<int>("large", 20_000_000);
        Assert.Equal(0, large[18_999_999]);
        Assert.Equal(2, large[19_000_009]);
        Assert.Equal(0, large[19_000_010]);
    }

    [Fact]
    public void A_long_chain_is_compacted_and_pruned_beside_the_session()
    {
        SnapshotOptions options =
            new()
            {
                Store =
                new StoreOptions { ChainLengthMax = 3, Retention = new RetentionPolicy { KeepLast = 1 } }
            };
        using (SnapshotSession session = SnapshotSession.Open(_store.Path, options))
        {
            ArenaArray<long> array = session.OpenArena("a", s_small).RootArray<long>("array", 4096);
            for (int round = 1; round <= 12; round++)
            {
                array.AsSpan().Fill(round);
                Assert.Null(session.RequestCheckpoint().WaitCommittedInThread().MaintenanceError);
            }

            // Closing gives up what runs beside the session, and on a busy machine none of it may have ended
            // yet.
            Assert.True(
                SpinWait.SpinUntil(() => session.Store.Generations.Count < 12, TimeSpan.FromMinutes(1)));
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path, options);
        Assert.Equal(12, restarted.Restarted!.Generation);
        Assert.True(
            restarted.Restarted.ChainLength < 12, $"the chain has {restarted.Restarted.ChainLength} images");
        Assert.False(restarted.OpenArena("a").RootArray<long>("array", 4096).AsSpan().ContainsAnyExcept(12L));
    }
}
