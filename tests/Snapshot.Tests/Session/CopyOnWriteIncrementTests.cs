using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Tests.Memory;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// However coarsely writes are told: increments hold what changed, and huge pages stay whole.
/// </summary>
[Needs(Capability.CopyOnWrite)]
public sealed class CopyOnWriteIncrementTests : IDisposable
{
    private const int LongsPerPage = Pages.Size / sizeof(long);
    private const int PageCount = 8192;

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_increment_is_the_pages_whose_content_changed(int seed)
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        ArenaArray<long> cells = Open(session, CaptureMode.CopyOnWrite)
            .RootArray<long>("cells", (long)PageCount * LongsPerPage);
        Random random = new(seed);
        random.NextBytes(MemoryMarshal.AsBytes(cells.AsSpan()));
        session.RequestCheckpoint().WaitCommittedInThread();
        foreach (int part in (int[])[1, 10, 100, 1, 10, 100])
        {
            int[] pages = [.. Enumerable.Range(0, PageCount)];
            random.Shuffle(pages);
            int changed = PageCount * part / 100;
            for (int index = 0; index < changed; index++)
                cells[((long)pages[index] * LongsPerPage) + random.Next(LongsPerPage)]++;

            // Written with what is there already: opened, and not changed.
            for (int index = changed; index < Math.Min(2 * changed, PageCount); index++)
                Volatile.Write(
                    ref cells[(long)pages[index] * LongsPerPage], cells[(long)pages[index] * LongsPerPage]);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.Equal(CaptureMode.CopyOnWrite, info.Capture.Mode);
            Assert.True(
                info.BytesChanged >= Pages.Bytes(changed) && info.BytesChanged <= 1.02 * Pages.Bytes(changed),
                $"{info.PagesChanged} pages for {changed}, {part} %, seed {seed}");
        }
    }

    [MachineFact]
    [Needs(Capability.HugePages)]
    public void Huge_pages_that_are_rewritten_whole_stay_whole()
    {
        const int longs = 16 * Pages.HugeSize / sizeof(long);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        Arena arena = Open(session, CaptureMode.CopyOnWrite);
        ArenaArray<long> cells = arena.RootArray<long>("cells", longs);
        cells.AsSpan().Fill(1);
        double before = trackers.HugePart(arena.Region);
        for (int round = 2; round < 12; round++)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            cells.AsSpan().Fill(round);
        }

        double after = trackers.HugePart(arena.Region);
        Assert.True(
            after >= before, $"{after:P1} are in huge pages, {before:P1} were before ten checkpoints");
    }

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void Where_tracking_begins_anew_pages_that_are_as_they_were_are_left_out_before_the_pause()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        ArenaArray<long> cells = Open(session, CaptureMode.CopyOnWrite)
            .RootArray<long>("cells", (long)PageCount * LongsPerPage);
        for (int page = 0; page < PageCount; page++) cells[page * LongsPerPage] = page + 1;
        session.RequestCheckpoint().WaitCommittedInThread();
        cells[7 * LongsPerPage] = cells[90 * LongsPerPage] = -1;
        Arena arena = Open(session, CaptureMode.PreCopy);
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(CaptureMode.PreCopy, info.Capture.Regions[0].Mode);
        Assert.Equal(2, info.PagesChanged);
        Assert.InRange(info.Capture.PagesTracked, 2, PageCount / 16);
        Assert.InRange(
            session.RequestCheckpoint().WaitCommittedInThread().Capture.PagesTracked, 0, PageCount / 16);
        Expect(arena, cells, StoredMemory.Read(session.Store, info.Generation, "a"), "cells");
    }

    [MachineTheory]
    [Needs(Capability.CopyOnWriteInSystemCalls, Capability.HugePages)]
    [InlineData(1, CaptureMode.PreCopy, "1 of 512 pages change")]
    [InlineData(512, CaptureMode.CopyOnWrite, "512 of 512 pages change")]
    public void The_second_checkpoint_looks_at_how_memory_was_written(
        int pages, CaptureMode mode, string reason)
    {
        const int longsPerBlock = Pages.HugeSize / sizeof(long);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        ArenaArray<long> cells = session.OpenArena("a", new ArenaOptions { Capacity = 256L << 20 })
            .RootArray<long>("cells", 32L * longsPerBlock);
        cells.AsSpan().Fill(1);
        Assert.Equal(
            CaptureMode.CopyOnWrite, session.RequestCheckpoint().WaitCommittedInThread().Capture.Mode);
        for (int block = 2; block < 30; block++)
        {
            for (int page = 0; page < pages; page++)
                cells[(long)block * longsPerBlock + page * LongsPerPage] = 2;
        }

        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(mode, info.Capture.Mode);
        Assert.Contains(reason, info.Capture.ModeReason, StringComparison.Ordinal);
    }

    [MachineTheory]
    [Needs(Capability.WriteTracking)]
    [InlineData(1)]
    [InlineData(2)]
    public void Another_mode_at_every_checkpoint_loses_nothing(int seed)
    {
        Random random = new(seed);
        CaptureMode[] modes = [CaptureMode.CopyOnWrite, CaptureMode.PreCopy, CaptureMode.Stage,
            CaptureMode.Auto];
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = Open(session, CaptureMode.CopyOnWrite);
        ArenaArray<long> cells = arena.RootArray<long>("cells", (long)PageCount * LongsPerPage);
        ArenaArray<long>? other = null;
        for (int round = 0; round < 12; round++)
        {
            for (int writes = random.Next(3000); writes > 0; writes--)
                cells[random.NextInt64(cells.Length)] = random.NextInt64();
            if (other is { } old) arena.Free(old);
            ArenaArray<long> made = arena.Allocate<long>(random.Next(2, 300_000));
            made.AsSpan(0, (int)made.Length / 2).Fill(round + 1);
            other = made;
            CaptureMode mode = modes[random.Next(modes.Length)];
            Open(session, mode);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            if (mode != CaptureMode.Auto) Assert.Equal(mode, info.Capture.Regions[0].Mode);
            byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
            Expect(arena, cells, image, $"cells, round {round}, seed {seed}");
            Expect(arena, made, image, $"the allocation, round {round}, seed {seed}");
        }
    }

    private static Arena Open(SnapshotSession session, CaptureMode mode) => session.OpenArena(
        "a", new ArenaOptions { Capacity = 256L << 20, Capture = mode });

    private static unsafe void Expect(Arena arena, ArenaArray<long> array, byte[] image, string what)
    {
        int offset = (int)((nint)array.Pointer - arena.BaseAddress);
        ReadOnlySpan<byte> memory = MemoryMarshal.AsBytes(array.AsSpan());
        int same = memory.CommonPrefixLength(image.AsSpan(offset, memory.Length));
        if (same != memory.Length) Assert.Fail($"{what}: byte {same} of {memory.Length} differs");
    }
}
