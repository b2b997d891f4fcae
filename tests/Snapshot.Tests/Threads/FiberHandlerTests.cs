using System.Runtime.CompilerServices;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>Handlers that are fibers, where their participants come and go.</summary>
public sealed class FiberHandlerTests
{
    private struct Calls
    {
        internal long Prepared;
        internal long Continued;
        internal long Restarted;
        internal long Omitted;
        internal int AbortCode;
    }

    [Fact]
    public void A_participant_that_leaves_and_comes_back_brings_its_fiber_handler_again()
    {
        using TemporaryStore store = new();
        using SnapshotSession session = SnapshotSession.Open(store.Path);
        Arena arena = session.OpenArena("fibers");
        ArenaPointer<Calls> calls = Root(arena);
        for (int time = 1; time <= 2; time++)
        {
            Attached(session, arena, calls, omits: false, checkpoints: 2);
            Assert.Equal((2 * time, 2 * time), (calls.Value.Prepared, calls.Value.Continued));
        }
    }

    [Fact]
    public void A_fiber_handler_that_was_left_out_of_the_image_is_not_resumed_beside_its_next_call()
    {
        using TemporaryStore store = new();
        using (SnapshotSession session = SnapshotSession.Open(store.Path))
        {
            Arena arena = session.OpenArena("fibers");
            Attached(session, arena, Root(arena), omits: true, checkpoints: 1);
        }

        using SnapshotSession next = SnapshotSession.Open(store.Path);
        Arena again = next.OpenArena("fibers");
        ArenaPointer<Calls> calls = Root(again);
        Attached(next, again, calls, omits: false, checkpoints: 1);
        Assert.Equal((2, 1), (calls.Value.Prepared, calls.Value.Continued));
        Assert.Equal((0, 0), (calls.Value.Restarted, calls.Value.Omitted));
    }

    [Fact]
    public void A_fiber_handler_that_aborts_a_checkpoint_is_told_the_code_it_gave()
    {
        using TemporaryStore store = new();
        using SnapshotSession session = SnapshotSession.Open(store.Path);
        Arena arena = session.OpenArena("fibers");
        ArenaPointer<Calls> calls = Root(arena);
        ICheckpointHandler handler = session.CreateHandler(arena, calls, Refuse);
        using Participant participant =
            session.Attach("w", new ParticipantOptions { Handlers = [("h", handler)] });
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => session.RequestCheckpoint().WaitCommittedInThread());
        Assert.Equal((SnapshotErrorCode.Aborted, 7), (error.Code, error.AbortCode));
        Assert.Equal(7, calls.Value.AbortCode);
    }

    private static async FiberTask Refuse(PendingCheckpoint checkpoint, ArenaPointer<Calls> calls)
    {
        checkpoint.Abort(7, "not now");
        FiberOutcome outcome = await checkpoint;
        calls.Value.AbortCode = outcome.AbortCode ?? 0;
    }

    /// <summary>Takes checkpoints of a participant that has the handler.</summary>
    private static void Attached(
        SnapshotSession session, Arena arena, ArenaPointer<Calls> calls, bool omits, int checkpoints)
    {
        ICheckpointHandler handler = session.CreateHandler(
            arena, (calls, omits), static (checkpoint, a) => Handle(checkpoint, a.calls, a.omits));
        using Participant participant =
            session.Attach("w", new ParticipantOptions { Handlers = [("h", handler)] });
        for (int i = 0; i < checkpoints; i++) session.RequestCheckpoint().WaitCommittedInThread();
    }

    private static async FiberTask Handle(PendingCheckpoint checkpoint, ArenaPointer<Calls> calls, bool omits)
    {
        calls.Value.Prepared++;
        if (omits) checkpoint.Omit();
        FiberOutcome outcome = await checkpoint;
        if (outcome.Kind == CheckpointOutcomeKind.Continued) calls.Value.Continued++;
        if (outcome.Kind == CheckpointOutcomeKind.Restarted) calls.Value.Restarted++;
        if (outcome.Kind == CheckpointOutcomeKind.Omitted) calls.Value.Omitted++;
    }

    private static unsafe ArenaPointer<Calls> Root(Arena arena) =>
        new((Calls*)Unsafe.AsPointer(ref arena.Root<Calls>("calls")));
}
