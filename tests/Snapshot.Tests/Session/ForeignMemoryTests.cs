using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>Protected memory of the program that is left out again, filled late, freed or missing.</summary>
public sealed unsafe class ForeignMemoryTests : IDisposable
{
    private const int Count = 64;
    private const int Bytes = Count * Pages.Size;

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void Exactly_the_written_pages_are_captured_and_those_with_another_content_written()
    {
        byte* at = Filled(1);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("memory", at, Bytes);
        Assert.Equal((Count, Count), Take(session));
        at[Pages.Size * 7] = 9;
        at[Pages.Size * 9] = 1;
        at[Pages.Size * 12] = 1;
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        RegionCaptureInfo region = Assert.Single(info.Capture.Regions);
        Assert.Equal(TrackingMechanism.WriteProtect, region.Tracking);
        Assert.Equal(3, region.PagesTracked);
        Assert.Equal(1, info.PagesChanged);
        Assert.Equal(0, info.Capture.Pause.ManagedBytesAllocated);
        AssertStored(session, info.Generation, "memory", at, Bytes);
        LibC.Drop(at + (Pages.Size * 20), 4 * Pages.Size);
        Assert.Equal(4, Take(session).Tracked);
        Assert.Equal((0, 0), Take(session));
        AssertStored(session, 3, "memory", at, Bytes);
        LibC.Unmap(at, Bytes);
    }

    [Fact]
    public void Memory_that_is_asked_to_be_hashed_is()
    {
        byte* at = Filled(1);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("memory", at, Bytes, new ProtectOptions { AlwaysHash = true });
        int[] array = GC.AllocateArray<int>(100_000, pinned: true);
        session.Protect("array", array, new ProtectOptions { AlwaysHash = true });
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.All(
            info.Capture.Regions, region => Assert.Equal(TrackingMechanism.ContentHash, region.Tracking));
        array[70_000] = 1;
        at[5] ^= 1;
        Assert.Equal((2, 2), Take(session));
        session.Unprotect("memory");
        LibC.Unmap(at, Bytes);
    }

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void A_managed_array_is_watched_where_it_is_pinned()
    {
        long[] array = GC.AllocateArray<long>(100_000, pinned: true);
        array.AsSpan().Fill(-1);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("array", array);
        for (int round = 1; round <= 3; round++)
        {
            array[50_000] = round;
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.Equal(TrackingMechanism.WriteProtect, info.Capture.Regions[0].Tracking);
            if (round > 1) Assert.InRange(info.Capture.PagesTracked, 1, 2);
            fixed (long* first = array)
                AssertStored(session, info.Generation, "array", (byte*)first, array.Length * sizeof(long));
        }
    }

    [MachineTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_that_is_gone_fails_its_checkpoint_by_name_and_the_next_one_succeeds(bool hash)
    {
        byte* at = Filled(1), other = Filled(2);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("other", other, Bytes, new ProtectOptions { AlwaysHash = hash });
        session.Protect("gone", at, Bytes, new ProtectOptions { AlwaysHash = hash });
        Take(session);
        other[Pages.Size] ^= 1;
        LibC.Unmap(at + (Bytes / 2), Bytes / 2);
        for (int tried = 0; tried < 2; tried++)
        {
            SnapshotException error = Assert.Throws<SnapshotException>(() => Take(session));
            Assert.Equal(SnapshotErrorCode.MemoryGone, error.Code);
            Assert.Contains("'gone'", error.Message, StringComparison.Ordinal);
            Assert.Contains("Unprotect", error.Message, StringComparison.Ordinal);
        }

        // Mapped again, as other memory.
        LibC.Map(Bytes / 2, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, at + (Bytes / 2));
        at[Bytes - 1] = 8;
        Take(session);
        long newest = session.Store.Newest!.Generation;
        AssertStored(session, newest, "gone", at, Bytes);
        AssertStored(session, newest, "other", other, Bytes);

        LibC.Unmap(at, Bytes);
        Assert.Throws<SnapshotException>(() => Take(session));
        Assert.True(session.Unprotect("gone"));
        other[0] ^= 1;
        Take(session);
        AssertStored(session, newest + 1, "other", other, Bytes);
        Assert.Equal(["other"], Names(session));
        LibC.Unmap(other, Bytes);
    }

    [Fact]
    public void Memory_where_nothing_is_mapped_is_not_protected()
    {
        byte* at = Filled(1);
        LibC.Unmap(at, Bytes);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        nint address = (nint)at;
        Assert.Equal(
            SnapshotErrorCode.MemoryGone,
            Assert.Throws<SnapshotException>(() => session.Protect("memory", (void*)address, Bytes)).Code);
        Assert.False(session.Unprotect("memory"));
    }

    [MachineTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_unprotected_while_it_is_drained_may_be_freed_at_once_and_is_in_that_image(bool hash)
    {
        byte* at = Filled(1);
        byte[] captured = new Span<byte>(at, Bytes).ToArray();
        using HeldDrain held = new();
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("memory", at, Bytes, new ProtectOptions { AlwaysHash = hash });
        CheckpointTicket ticket = held.Request(session);
        Assert.True(session.Unprotect("memory"));
        Assert.False(session.Unprotect("memory"));
        LibC.Unmap(at, Bytes);

        // The name is free, for memory of any length; what is new begins in full.
        const int larger = Bytes + 777;
        byte* again = LibC.Map(Bytes + Pages.Size);
        new Span<byte>(again, larger).Fill(3);
        session.Protect("memory", again, larger);
        held.LetGo();
        SnapshotInfo first = ticket.WaitCommittedInThread();
        Assert.Equal(captured, StoredMemory.Read(session.Store, first.Generation, "memory"));
        Assert.Equal((Count + 1, Count + 1), Take(session));
        AssertStored(session, first.Generation + 1, "memory", again, larger);
        again[Bytes] = 4;
        Assert.Equal(1, session.RequestCheckpoint().WaitCommittedInThread().PagesChanged);
        AssertStored(session, first.Generation + 2, "memory", again, larger);
        LibC.Unmap(again, Bytes + Pages.Size);
    }

    [MachineTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pages_of_a_checkpoint_that_is_given_up_are_in_the_next_one(bool hash)
    {
        byte* at = Filled(1);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("memory", at, Bytes, new ProtectOptions { AlwaysHash = hash });
        Take(session);
        at[0] ^= 1;
        at[Pages.Size * 5] ^= 1;
        using (HeldDrain held = new())
        {
            using CancellationTokenSource cancellation = new();
            CheckpointTicket ticket = held.Request(session, cancellation.Token);
            at[Pages.Size * 5] ^= 2;
            at[Pages.Size * 6] ^= 1;
            cancellation.Cancel();
            held.LetGo();
            Assert.ThrowsAny<OperationCanceledException>(() => ticket.WaitCommittedInThread());
        }

        Assert.Equal((3, 3), Take(session));
        AssertStored(session, session.Store.Newest!.Generation, "memory", at, Bytes);
        LibC.Unmap(at, Bytes);
    }

    [Fact]
    public void A_name_that_nobody_protects_is_not_unprotected_and_not_filled()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("arena", new ArenaOptions { Capacity = 64 << 20 });
        Assert.False(session.Unprotect("arena"));
        Assert.False(session.Unprotect("nothing"));
        Assert.Equal(
            SnapshotErrorCode.NotFound,
            Assert.Throws<SnapshotException>(() => session.Fill("arena")).Code);
        session.Protect("empty", Array.Empty<int>());
        Assert.False(session.Fill("empty"));
        Assert.True(session.Unprotect("empty"));
    }

    /// <summary>All pages as tracked, and as written.</summary>
    private static (long Tracked, long Written) Take(SnapshotSession session)
    {
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        return (info.Capture.PagesTracked, info.PagesChanged);
    }

    private static string[] Names(SnapshotSession session) =>
    [
        .. session.Store.Describe(session.Store.Newest!.Generation).Regions.Select(
            region => region.Region.Name),
    ];

    private static void AssertStored(
        SnapshotSession session, long generation, string name, byte* at, int bytes)
    {
        byte[] stored = StoredMemory.Read(session.Store, generation, name);
        Assert.Equal(bytes, stored.Length);
        int same = stored.AsSpan().CommonPrefixLength(new ReadOnlySpan<byte>(at, bytes));
        Assert.True(same == bytes, $"byte {same} of '{name}' in generation {generation} is wrong");
    }

    private static byte* Filled(byte first)
    {
        byte* at = LibC.MapApart(Bytes);
        for (int page = 0; page < Count; page++) new Span<byte>(at + (page * Pages.Size), 40).Fill(first);
        return at;
    }
}
