using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>Protected buffers that are filled when the program asks for it.</summary>
public sealed class FillLaterTests : IDisposable
{
    private const int Count = 20_000;

    private static readonly ProtectOptions s_later = new() { Fill = ProtectFill.Later };
    private static readonly ProtectOptions s_now = new() { Fill = ProtectFill.Now };

    private readonly TemporaryStore _store = new();
    private readonly long[] _first = GC.AllocateArray<long>(Count, pinned: true);
    private readonly long[] _second = GC.AllocateArray<long>(Count, pinned: true);

    public FillLaterTests()
    {
        for (int index = 0; index < Count; index++) _first[index] = index + 1;
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _first);
        session.RequestCheckpoint().WaitCommittedInThread();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void It_comes_when_it_is_asked_for_and_once()
    {
        _second[7] = -7;
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _second, s_later);
        Assert.Equal(-7, _second[7]);
        Assert.True(session.Fill("data"));
        Assert.Equal(_first, _second);
        _second[7] = -7;
        Assert.False(session.Fill("data"));
        Assert.Equal(-7, _second[7]);
    }

    [Fact]
    public void Now_is_when_it_is_protected()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _second, s_now);
        Assert.Equal(_first, _second);
        Assert.False(session.Fill("data"));
    }

    [MachineTheory]
    [Needs(Capability.WriteTracking)]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_filled_is_no_change(bool late)
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _second, late ? s_later : s_now);
        Assert.Equal(late, session.Fill("data"));
        _second[10_000]++;
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(1, info.PagesChanged);
        Assert.InRange(info.Capture.PagesTracked, 1, 2);
        AssertStored(session, _second);
    }

    /// <summary>Whose pages come when they are touched: buffers are watched by the same descriptor.</summary>
    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public void A_lazy_restart_fills_buffers_and_watches_them()
    {
        SnapshotOptions lazy = new() { Restart = new RestartOptions { Fill = RestartFill.Lazy } };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, lazy);
        session.Protect("data", _second, s_later);
        Assert.True(session.Fill("data"));
        Assert.Equal(_first, _second);
        _second[3]++;
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(TrackingMechanism.WriteProtect, info.Capture.Regions[0].Tracking);
        Assert.Equal(1, info.PagesChanged);
        AssertStored(session, _second);
    }

    [Fact]
    public void Until_then_it_is_captured_as_the_program_has_it()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            session.Protect("data", _second, s_later);
            Array.Copy(_first, _second, Count / 2);
            session.RequestCheckpoint().WaitCommittedInThread();
            AssertStored(session, _second);
            session.RequestCheckpoint().WaitCommittedInThread();

            // Behind a checkpoint the fill is a write.
            Assert.True(session.Fill("data"));
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.InRange(info.PagesChanged, 19, 21);
            AssertStored(session, _first);
        }

        Array.Clear(_second);
        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        restarted.Protect("data", _second);
        Assert.Equal(_first, _second);
    }

    [Fact]
    public void Another_length_is_refused_before_anything_is_filled()
    {
        long[] shorter = GC.AllocateArray<long>(Count - 1, pinned: true);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => session.Protect("data", shorter, s_later));
        Assert.Equal(SnapshotErrorCode.LayoutMismatch, error.Code);
        session.Protect("data", _second, s_later);
        Assert.True(session.Fill("data"));
        Assert.Equal(_first, _second);
    }

    [Fact]
    public void What_is_unprotected_before_it_was_filled_is_let_go_and_the_name_is_free()
    {
        long[] longer = GC.AllocateArray<long>(Count + 1, pinned: true);
        longer[0] = 5;
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _second, s_later);
        Assert.True(session.Unprotect("data"));
        session.Protect("data", longer);
        Assert.Equal(5, longer[0]);
        Assert.False(session.Fill("data"));
        session.RequestCheckpoint().WaitCommittedInThread();
        AssertStored(session, longer);
    }

    [Fact]
    public void What_the_image_has_may_be_dropped_while_the_buffer_stays()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("data", _second, s_later);
        Assert.True(session.DropRestoredBuffer("data"));
        Assert.False(session.DropRestoredBuffer("data"));
        Assert.False(session.Fill("data"));
        session.RequestCheckpoint().WaitCommittedInThread();
        AssertStored(session, _second);
    }

    private static void AssertStored(SnapshotSession session, long[] expected)
    {
        byte[] stored = StoredMemory.Read(session.Store, session.Store.Newest!.Generation, "data");
        Assert.Equal(expected, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(stored));
    }
}
