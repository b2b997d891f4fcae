using Snapshot.Base;
using Snapshot.Coordination;
using Xunit;

namespace Snapshot.Tests.Coordination;

public sealed class RestartTests
{
    private readonly CallLog _log = new();

    [Fact]
    public void Ids_come_back_and_handlers_the_image_names_are_resumed_exactly_once()
    {
        CoordinationState state = MakeState(out int workerId);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        using Worker newcomer = Worker.Attach(coordinator, "newcomer");
        using Worker worker = Worker.Attach(coordinator, "w");
        Assert.Equal(workerId, worker.Participant.Id);
        Assert.DoesNotContain(state.Owners, known => known.Id == newcomer.Participant.Id);
        worker.Do(participant =>
        {
            participant.RegisterHandler("s1", _log.Handler("s1"));
            Assert.Equal(["s1 Restarted"], _log.Calls);
            participant.RegisterHandler("unknown", _log.Handler("unknown"));
            participant.RegisterHandler("s2", _log.Handler("s2")).Dispose();
            participant.RegisterHandler("s2", _log.Handler("s2"));
        });
        using ManualResetEventSlim resumed = new();
        coordinator.RegisterHandler("a", _log.Handler("a", resume: _ => resumed.Set()));
        Assert.True(resumed.Wait(CoordinatorExtensions.Long));
        Assert.Equal(["s1 Restarted", "s2 Restarted", "a Restarted"], _log.Calls);
    }

    [Fact]
    public void Attaching_with_handlers_registers_all_and_then_resumes_first_registered_first()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        int registered = 0;
        ICheckpointHandler first = _log.Handler(
            "s1", resume: _ => registered = Participant.Current!.Handlers.Enabled.Length);
        using Worker worker = Worker.Attach(
            coordinator, "w",
            new ParticipantOptions { Handlers = [("s1", first), ("s2", _log.Handler("s2"))] });
        Assert.Equal(2, registered);
        Assert.Equal(["s1 Restarted", "s2 Restarted"], _log.Calls);
    }

    [Fact]
    public void A_resume_part_after_a_restart_runs_as_the_owner_it_was()
    {
        CoordinationState state = MakeState(out int workerId);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        int owner = 0;
        using Worker worker = Worker.Attach(
            coordinator, "w", new ParticipantOptions
            {
                Handlers = [("s1",
                    CheckpointHandler.Create(resume: _ => owner = LockOwner.Current!.OwnerId))],
            });
        Assert.Equal(workerId, owner);
        int asyncOwner = 0;
        using ManualResetEventSlim resumed = new();
        coordinator.RegisterHandler("a", CheckpointHandler.Create(resume: _ =>
        {
            asyncOwner = LockOwner.Current!.OwnerId;
            resumed.Set();
        }));
        resumed.Wait();
        Assert.Equal(state.Owners.Single(known => known.Name == "a").Id, asyncOwner);
    }

    [Fact]
    public void A_throwing_resume_part_fails_the_restart_for_everybody()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new(Gates.OnRestart);
        coordinator.Restore(state);
        using Worker gated = Worker.BeginAttach(coordinator, "gated");
        using Worker free = Worker.Attach(coordinator, "free", new ParticipantOptions { Gates = Gates.None });
        InvalidDataException thrown = new("half restored");
        coordinator.RegisterHandler("a", CheckpointHandler.Create(resume: _ => throw thrown));
        SnapshotException error = Assert.Throws<SnapshotException>(() => gated.Participant);
        Assert.Equal(SnapshotErrorCode.RestartFailed, error.Code);
        Assert.Same(thrown, error.InnerException);
        AssertFailed(() => coordinator.Attach("more"));
        AssertFailed(() => coordinator.Begin(2, CoordinatorExtensions.Long));
        free.Do(participant => AssertFailed(participant.Poll));
    }

    [Fact]
    public void A_throwing_sync_resume_part_comes_out_of_the_registration()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant =>
            AssertFailed(() => participant.RegisterHandler(
                "s1", CheckpointHandler.Create(resume: _ => throw new InvalidDataException()))));
    }

    [Fact]
    public void The_restart_gate_opens_when_every_handler_of_the_image_was_resumed()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new(Gates.OnRestart);
        coordinator.Restore(state);
        using ManualResetEventSlim finish = new();
        using Worker worker = Worker.BeginAttach(
            coordinator, "w",
            new ParticipantOptions { Handlers = [("s1", _log.Handler("s1")), ("s2", _log.Handler("s2"))] });
        coordinator.RegisterHandler("a", _log.Handler("a", resume: _ => finish.Wait()));
        SpinWait.SpinUntil(() => _log.Calls.Length == 3);
        Assert.False(worker.Attached.IsCompleted);
        finish.Set();
        Assert.Equal("w", worker.Participant.Name);
    }

    [Fact]
    public void The_restart_gate_names_what_is_missing_when_its_time_has_passed()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new(Gates.OnRestart, TimeSpan.FromMilliseconds(30));
        coordinator.Restore(state);
        using Worker worker = Worker.BeginAttach(
            coordinator, "w", new ParticipantOptions { Handlers = [("s1", _log.Handler("s1"))] });
        SnapshotException error = Assert.Throws<SnapshotException>(() => worker.Participant);
        Assert.Equal(SnapshotErrorCode.RestartFailed, error.Code);
        Assert.Contains("async handler 'a'", error.Message, StringComparison.Ordinal);
        Assert.Contains("handler 's2' of participant 'w'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'s1'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Handlers_that_did_not_come_back_are_kept_in_the_next_image()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        using Worker worker = Worker.Attach(
            coordinator, "w", new ParticipantOptions { Handlers = [("s1", _log.Handler("s1"))] });
        Attempt attempt = coordinator.Capture(12);
        CoordinationState next = coordinator.Export();
        attempt.Finish();
        Assert.Equal(12, next.Generation);
        Assert.Equal(["a"], next.Handlers.Select(handler => handler.Name));
        Assert.Equal(["s1", "s2"], next.Participants.Single(participant => participant.Name == "w").Handlers);
    }

    [Fact]
    public void Handlers_that_come_back_between_the_capture_and_the_writing_of_the_image_are_kept_in_it()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        Attempt attempt = coordinator.Capture(12);
        attempt.Release();
        using Worker worker = Worker.Attach(
            coordinator, "w", new ParticipantOptions { Handlers = [("s1", _log.Handler("s1"))] });
        using ManualResetEventSlim resumed = new();
        coordinator.RegisterHandler("a", _log.Handler("a", resume: _ => resumed.Set()));
        resumed.Wait();
        CoordinationState next = coordinator.Export();
        attempt.BeginCommit();
        attempt.Complete();
        Assert.Equal(["a"], next.Handlers.Select(handler => handler.Name));
        Assert.Equal(["s1", "s2"], next.Participants.Single(participant => participant.Name == "w").Handlers);
    }

    [Fact]
    public void An_async_handler_that_comes_back_while_participants_are_stopped_is_resumed_after_the_capture()
    {
        CoordinationState state = MakeState(out _);
        using Coordinator coordinator = new();
        coordinator.Restore(state);
        Attempt attempt = coordinator.Capture(12);
        Phase phase = default;
        using ManualResetEventSlim resumed = new();
        coordinator.RegisterHandler("a", _log.Handler("a", resume: _ =>
        {
            phase = coordinator.Phase;
            resumed.Set();
        }));

        // Time enough for one that does not wait.
        resumed.Wait(TimeSpan.FromMilliseconds(50));
        attempt.Finish();
        resumed.Wait();
        Assert.NotEqual(Phase.Capture, phase);
        coordinator.Checkpoint(13);
        Assert.Equal(["a Restarted", "a prepare", "a Continued"], _log.Calls.Take(3));
    }

    private static CoordinationState MakeState(out int workerId)
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("a", CheckpointHandler.Create());
        using Worker worker = Worker.Attach(coordinator, "w");
        workerId = worker.Participant.Id;
        worker.Do(participant =>
        {
            participant.RegisterHandler("s1", CheckpointHandler.Create());
            participant.RegisterHandler("s2", CheckpointHandler.Create());
        });
        Attempt attempt = coordinator.Capture(11);
        CoordinationState state = coordinator.Export();
        attempt.Finish();
        Assert.Equal(11, state.Generation);
        return state;
    }

    private static void AssertFailed(Action action) =>
        Assert.Equal(SnapshotErrorCode.RestartFailed, Assert.Throws<SnapshotException>(action).Code);
}
