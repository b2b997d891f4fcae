using Snapshot.Base;
using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// What happens between the early collect, for which nobody stops, and the pause: here in the handlers that
/// the stopped participant runs, which is as late as anything can.
/// </summary>
public sealed unsafe class EarlyCollectTests : IDisposable
{
    private const long MiB = 1 << 20;

    // Above what FrozenPages takes early.
    private const int Parts = 48;
    private const long PartBytes = 4 * MiB;

    private static readonly ArenaOptions s_arena = new() { Capacity = 512 * MiB };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(TrackingMechanism.Auto, CaptureMode.CopyOnWrite)]
    [InlineData(TrackingMechanism.SignalWriteProtect, CaptureMode.Auto)]
    public void What_is_written_allocated_freed_excluded_or_included_after_it_is_as_in_the_pause(
        TrackingMechanism tracking, CaptureMode capture)
    {
        using SnapshotSession session =
            SnapshotSession.Open(
                _store.Path,
                new SnapshotOptions
                {
                    Tuning = new SnapshotTuning { Tracking = tracking },
                    Capture =
                    capture
                });
        Arena arena = session.OpenArena("a", s_arena);
        byte*[] parts = new byte*[Parts];
        for (int part = 0; part < Parts; part++)
            parts[part] = (byte*)arena.Allocate(PartBytes, Pages.HugeSize);
        Fill(parts, 1);
        arena.Exclude(parts[4], PartBytes);
        session.RequestCheckpoint().WaitCommittedInThread();

        using Participant me = session.Attach("me");
        byte* late = null;
        using HandlerRegistration handler = me.RegisterHandler(
            "late", CheckpointHandler.Create(
                prepare: _ =>
                {
                    parts[0][7] = 77;
                    new Span<byte>(parts[1], (int)PartBytes).Fill(78);
                    arena.Free(parts[2]);
                    arena.Exclude(parts[3], PartBytes);
                    arena.Include(parts[4], PartBytes);
                    late = (byte*)arena.Allocate(PartBytes + 1, Pages.HugeSize);
                    late[3] = 79;
                }));
        Fill(parts, 2);
        CheckpointTicket ticket = session.RequestCheckpoint();
        ticket.WaitCapturedInThread();

        // Against the drain.
        for (int part = 0; part < Parts; part++)
        {
            if (part != 2) new Span<byte>(parts[part], (int)PartBytes).Fill(99);
        }

        SnapshotInfo info = ticket.WaitCommittedInThread();
        Assert.Equal(CaptureMode.CopyOnWrite, info.Capture.Mode);
        byte[] image = StoredMemory.Read(session.Store, info.Generation, "a");
        Expect(parts[0], 2, 7);
        Assert.Equal(77, image[Offset(parts[0]) + 7]);
        Expect(parts[1], 78);
        Expect(parts[2], 0);
        Expect(parts[3], 0);
        Expect(parts[4], 2);
        for (int part = 5; part < Parts; part++) Expect(parts[part], 2);
        Assert.Equal(79, image[Offset(late) + 3]);

        int Offset(byte* memory) => (int)((nint)memory - arena.BaseAddress);

        void Expect(byte* memory, byte value, int from = -1)
        {
            ReadOnlySpan<byte> content = image.AsSpan(Offset(memory) + from + 1, (int)PartBytes - from - 1);
            Assert.Equal(-1, content.IndexOfAnyExcept(value));
        }
    }

    private static void Fill(byte*[] parts, byte value)
    {
        foreach (byte* part in parts) new Span<byte>(part, (int)PartBytes).Fill(value);
    }
}
