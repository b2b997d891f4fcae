using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Protected memory in huge pages: read while the program runs, which may write it, ask for it back, or have
/// it go without asking.
/// </summary>
public sealed unsafe class FrozenBufferTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const long MappedBytes = 24L * MiB;

    private readonly TemporaryStore _store = new();
    private readonly byte* _mapped = LibC.MapApart(MappedBytes);

    public FrozenBufferTests() => Fill(1);

    public static TheoryData<string> Ways => [.. s_ways.Keys];

    /// <summary>What a program may do with memory, at a place in it.</summary>
    private static readonly Dictionary<string, Take> s_ways = new()
    {
        ["dropped"] = at => LibC.Drop(at, Pages.Size),
        ["dropped and written"] = at =>
        {
            LibC.Drop(at, 2 * MiB);
            *at = 9;
        },
        ["unmapped"] = at => LibC.Unmap(at, 3 * Pages.Size),
        ["replaced"] = at => *LibC.Map(MiB, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, at) = 9,
        ["moved over"] = at => LibC.Move(LibC.Map(MiB), at, MiB),
        ["moved over by what is protected"] = at => LibC.Move(at + (4 * MiB), at, MiB),
        ["made unreadable"] = at => LibC.Protect(at, Pages.Size, LibC.NoAccess),
        ["made shared"] = at => *LibC.Map(MiB, LibC.Shared | LibC.Anonymous | LibC.Fixed, -1, at) = 9,
    };

    public void Dispose()
    {
        LibC.Unmap(_mapped, MappedBytes);
        _store.Dispose();
    }

    [MachineTheory]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    [InlineData(0, 0)]
    [InlineData(16, 100)]
    [InlineData(2 * MiB - 1000, 1)]
    [InlineData(MiB + 4096, 4097)]
    public void An_image_has_what_was_there_when_it_was_captured(int first, int last)
    {
        long bytes = MappedBytes - first - last;
        byte* at = _mapped + first;
        SnapshotOptions options = new() { Store = new StoreOptions { ChainLengthMax = 3 } };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, options);
        session.Protect("frozen", at, bytes);
        Random random = new(first);
        for (int round = 0; round < 5; round++)
        {
            byte[] then = Copy(at, bytes);
            using HeldDrain drain = new();
            CheckpointTicket ticket = drain.Request(session);
            WriteSome(random, at, bytes);
            drain.LetGo();
            WriteSome(random, at, bytes);
            SnapshotInfo info = ticket.WaitCommittedInThread();
            RegionCaptureInfo region = Assert.Single(info.Capture.Regions);
            Assert.Equal(CaptureMode.CopyOnWrite, region.Mode);
            Assert.Equal(TrackingMechanism.ServedWriteProtect, region.Tracking);
            AssertStored(session, info.Generation, then);
        }
    }

    [MachineFact]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    public void Memory_that_is_unprotected_while_it_is_drained_may_be_freed_at_once()
    {
        SnapshotOptions options = new() { Tuning = new SnapshotTuning { StagingLimit = 4 * MiB } };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, options);
        for (int round = 0; round < 2; round++)
        {
            Fill(round + 1);
            session.Protect("frozen", _mapped + 16, MappedBytes - 32);
            byte[] then = Copy(_mapped + 16, MappedBytes - 32);
            CheckpointTicket ticket = session.RequestCheckpoint();
            ticket.WaitCapturedInThread();
            Assert.True(session.Unprotect("frozen"));
            LibC.Unmap(_mapped, MappedBytes);
            LibC.Map(MappedBytes, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, _mapped);
            AssertStored(session, ticket.WaitCommittedInThread().Generation, then);
        }
    }

    [MachineTheory]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    [MemberData(nameof(Ways))]
    public void Memory_that_goes_while_it_is_drained_is_an_error_and_the_next_image_is_right(string way)
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("frozen", _mapped + 16, MappedBytes - 16);
        session.RequestCheckpoint().WaitCommittedInThread();
        Write(_mapped, MappedBytes, 3);
        using (HeldDrain drain = new())
        {
            CheckpointTicket ticket = drain.Request(session);
            s_ways[way](_mapped + (7 * MiB));
            drain.LetGo();
            SnapshotException error =
                Assert.Throws<SnapshotException>(() => ticket.WaitCommittedInThread());
            Assert.Equal(SnapshotErrorCode.MemoryGone, error.Code);
            Assert.Contains("'frozen'", error.Message, StringComparison.Ordinal);
            Assert.Contains("Call Unprotect before memory is freed", error.Message, StringComparison.Ordinal);
        }

        MakeWhole();
        AssertNextIsRight(session, CaptureMode.Stage);
    }

    /// <summary>
    /// Between checkpoints all of it is found. What was dropped stays frozen; what came in the place of
    /// memory may be anybody's, and is not.
    /// </summary>
    [MachineTheory]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    [MemberData(nameof(Ways))]
    public void Memory_that_goes_between_checkpoints_is_as_it_is_in_the_next_image(string way)
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("frozen", _mapped + 16, MappedBytes - 16);
        session.RequestCheckpoint().WaitCommittedInThread();
        s_ways[way](_mapped + (7 * MiB));
        if (way is "unmapped" or "moved over by what is protected" or "made unreadable")
        {
            SnapshotException error = Assert.Throws<SnapshotException>(
                () => session.RequestCheckpoint().WaitCommittedInThread());
            Assert.Equal(SnapshotErrorCode.MemoryGone, error.Code);
            MakeWhole();
        }

        CaptureMode mode = way is "dropped" or "dropped and written" or "made unreadable"
            ? CaptureMode.CopyOnWrite
            : CaptureMode.Stage;
        AssertNextIsRight(session, mode);
        _mapped[7 * MiB] ^= 1;
        _mapped[9 * MiB] ^= 1;
        AssertNextIsRight(session, mode);
    }

    [MachineTheory]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    [InlineData(ProtectFill.Now)]
    [InlineData(ProtectFill.Later)]
    public void What_was_filled_is_unchanged_and_frozen_from_the_first_checkpoint_on(ProtectFill fill)
    {
        const long bytes = MappedBytes - 20;
        byte[] then = Copy(_mapped + 4, bytes);
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            session.Protect("frozen", _mapped + 4, bytes);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        LibC.Drop(_mapped, MappedBytes);
        LibC.AskForHugePages(_mapped, MappedBytes);
        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        restarted.Protect("frozen", _mapped + 4, bytes, new ProtectOptions { Fill = fill });
        if (fill == ProtectFill.Later) Assert.True(restarted.Fill("frozen"));
        Assert.Equal(then, Copy(_mapped + 4, bytes));
        _mapped[11 * MiB] ^= 1;
        SnapshotInfo info = restarted.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(CaptureMode.CopyOnWrite, Assert.Single(info.Capture.Regions).Mode);
        Assert.InRange(info.Capture.PagesTracked, 1, 2 * MiB / Pages.Size + 1);
        Assert.InRange(info.PagesChanged, 1, 2);
        AssertStored(restarted, info.Generation, Copy(_mapped + 4, bytes));
    }

    [MachineTheory]
    [InlineData(CaptureMode.Stage, TrackingMechanism.Auto, 0)]
    [InlineData(CaptureMode.Auto, TrackingMechanism.ContentHash, 0)]
    [InlineData(CaptureMode.Auto, TrackingMechanism.Auto, 17 * MiB)]
    public void It_is_not_frozen_where_that_was_not_asked_for_or_it_is_small(
        CaptureMode capture, TrackingMechanism tracking, int less)
    {
        SnapshotOptions options = new()
        {
            Capture = capture,
            Tuning = new SnapshotTuning { Tracking = tracking },
        };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, options);
        session.Protect("frozen", _mapped, MappedBytes - less);
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(CaptureMode.Stage, Assert.Single(info.Capture.Regions).Mode);
    }

    [MachineFact]
    [Needs(Capability.CopyOnWriteOfBuffers, Capability.HugePages)]
    public void Small_pages_are_copied()
    {
        LibC.Unmap(_mapped, MappedBytes);
        LibC.Map(MappedBytes, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, _mapped);
        LibC.RefuseHugePages(_mapped, MappedBytes);
        Write(_mapped, MappedBytes, 1);
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.Protect("frozen", _mapped, MappedBytes);
        AssertNextIsRight(session, CaptureMode.Stage, first: 0);
    }

    private void AssertNextIsRight(SnapshotSession session, CaptureMode mode, int first = 16)
    {
        byte[] then = Copy(_mapped + first, MappedBytes - first);
        SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
        Assert.Equal(mode, Assert.Single(info.Capture.Regions).Mode);
        AssertStored(session, info.Generation, then);
    }

    private static void AssertStored(SnapshotSession session, long generation, byte[] then)
    {
        byte[] stored = StoredMemory.Read(session.Store, generation, "frozen");
        int same = stored.AsSpan().CommonPrefixLength(then);
        Assert.True(stored.Length == then.Length && same == then.Length, $"byte {same} is wrong");
    }

    private static byte[] Copy(byte* at, long bytes) => new Span<byte>(at, (int)bytes).ToArray();

    private static void WriteSome(Random random, byte* at, long bytes)
    {
        for (int spot = 0; spot < 12; spot++)
        {
            long first = random.NextInt64(bytes);
            int count = (int)Math.Min(bytes - first, random.Next(1, 100_000));
            random.NextBytes(new Span<byte>(at + first, count));
        }
    }

    /// <summary>A byte in each page.</summary>
    private static void Write(byte* at, long bytes, int value)
    {
        for (long page = 0; page < bytes; page += Pages.Size) at[page + 5] = (byte)(value + (page >> 12));
    }

    private void Fill(int value)
    {
        LibC.AskForHugePages(_mapped, MappedBytes);
        Write(_mapped, MappedBytes, value);
    }

    /// <summary>What is not there, or cannot be read, is there again.</summary>
    private void MakeWhole()
    {
        for (long at = 0; at < MappedBytes; at += Pages.Size)
        {
            if (LibC.TryProtect(_mapped + at, Pages.Size, LibC.ReadWrite)) continue;
            LibC.Map(Pages.Size, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, _mapped + at);
        }
    }

    private delegate void Take(byte* at);
}
