using Snapshot.Base;
using Snapshot.Coordination;
using Xunit;

namespace Snapshot.Tests.Coordination;

public sealed class HandlerTests
{
    private static readonly string[] s_names = ["a", "b"];

    private readonly CallLog _log = new();

    [Fact]
    public void Async_handlers_prepare_last_first_and_resume_first_first_and_hear_of_the_commit()
    {
        using Coordinator coordinator = new();
        foreach (string name in new[] { "a", "b", "c" })
            coordinator.RegisterHandler(name, _log.Handler(name));
        coordinator.Checkpoint(7);
        Drain(coordinator);
        Assert.Equal(
            [
                "c prepare", "b prepare", "a prepare", "a Continued", "b Continued", "c Continued",
                "a committed 7",
                "b committed 7", "c committed 7"],
            _log.Calls);
    }

    [Fact]
    public void Sync_handlers_prepare_last_first_and_resume_first_first_on_their_participants_thread()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        int thread = 0;
        List<int> threads = [];
        worker.Do(participant =>
        {
            thread = Environment.CurrentManagedThreadId;
            foreach (string name in s_names)
                participant.RegisterHandler(
                    name, _log.Handler(
                        name,
                        _ => threads.Add(Environment.CurrentManagedThreadId),
                        _ => threads.Add(Environment.CurrentManagedThreadId)));
        });
        coordinator.Checkpoint(3);
        worker.Do(participant => participant.Poll());
        Assert.Equal(
            ["b prepare", "a prepare", "a Continued", "b Continued", "a committed 3", "b committed 3"],
            _log.Calls);
        Assert.All(threads, found => Assert.Equal(thread, found));
    }

    [Fact]
    public void Every_async_prepare_part_is_done_before_any_sync_one_starts()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", _log.Handler("async"));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler("sync", _log.Handler("sync")));
        using Attempt attempt = coordinator.Capture();
        Assert.Equal(["async prepare", "sync prepare"], _log.Calls);
        attempt.Finish();
    }

    [Fact]
    public void Participants_run_their_sync_handlers_concurrently()
    {
        using Coordinator coordinator = new();
        using Barrier bothInside = new(2);
        using Worker first = Worker.Attach(coordinator, "1");
        using Worker second = Worker.Attach(coordinator, "2");
        foreach (Worker worker in new[] { first, second })
            worker.Do(participant => participant.RegisterHandler(
                "meet", CheckpointHandler.Create(
                    _ => Assert.True(bothInside.SignalAndWait(CoordinatorExtensions.Long)))));
        coordinator.Checkpoint();
    }

    [Fact]
    public void An_abort_by_an_async_handler_reaches_those_that_were_called_and_the_requester_with_the_same_code()
    {
        using Coordinator coordinator = new();
        foreach (string name in new[] { "a", "b", "c" })
            coordinator.RegisterHandler(name, _log.Handler(name, context =>
            {
                if (name == "b") context.Abort(42, "not now");
            }));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler("sync", _log.Handler("sync")));
        using Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long);
        SnapshotException error = Assert.Throws<SnapshotException>(() => attempt.PrepareAsync(() => { }));
        Assert.Equal(SnapshotErrorCode.Aborted, error.Code);
        Assert.Equal(42, error.AbortCode);
        Assert.Contains("'b'", error.Message, StringComparison.Ordinal);
        Assert.Equal(["c prepare", "b prepare", "b Aborted 42", "c Aborted 42"], _log.Calls);
        Assert.Equal(Phase.Idle, coordinator.Phase);
    }

    [Fact]
    public void An_abort_by_a_sync_handler_reaches_async_and_sync_handlers_and_the_requester()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", _log.Handler("async"));
        using Worker first = Worker.Attach(coordinator, "1");
        using Worker second = Worker.Attach(coordinator, "2");
        using ManualResetEventSlim otherIsParked = new();
        first.Do(participant => participant.RegisterHandler("first", _log.Handler("first", context =>
        {
            Assert.True(otherIsParked.Wait(CoordinatorExtensions.Long));
            context.Abort(9);
        })));
        second.Do(
            participant =>
                participant.RegisterHandler("second", _log.Handler("second", _ => otherIsParked.Set())));
        using Attempt attempt = coordinator.Prepare();
        SnapshotException error = Assert.Throws<SnapshotException>(attempt.Stop);
        Assert.Equal(9, error.AbortCode);
        Assert.Equal(
            [
                "async Aborted 9", "async prepare", "first Aborted 9", "first prepare", "second Aborted 9",
                "second prepare"],
            _log.Calls.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Of_several_aborters_exactly_one_wins_and_everybody_is_told_its_code()
    {
        for (int round = 0; round < 50; round++)
        {
            using Coordinator coordinator = new();
            CallLog log = new();
            using Barrier together = new(2);
            using Worker first = Worker.Attach(coordinator, "1");
            using Worker second = Worker.Attach(coordinator, "2");
            foreach ((Worker worker, int code) in new[] { (first, 1), (second, 2) })
                worker.Do(participant => participant.RegisterHandler("h", log.Handler("h", context =>
                {
                    together.SignalAndWait();
                    context.Abort(code);
                })));
            using Attempt attempt = coordinator.Prepare();
            SnapshotException error = Assert.Throws<SnapshotException>(attempt.Stop);
            Assert.Equal(2, log.Calls.Count(call => call == $"h Aborted {error.AbortCode}"));
        }
    }

    [Fact]
    public void A_throwing_prepare_part_aborts_with_the_exception_as_cause()
    {
        using Coordinator coordinator = new();
        InvalidDataException thrown = new("broken");
        CheckpointOutcome? told = null;
        coordinator.RegisterHandler("outer", CheckpointHandler.Create(resume: outcome => told = outcome));
        coordinator.RegisterHandler("thrower", _log.Handler("thrower", _ => throw thrown));
        using Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long);
        SnapshotException error = Assert.Throws<SnapshotException>(() => attempt.PrepareAsync(() => { }));
        Assert.Equal(SnapshotErrorCode.HandlerFailed, error.Code);
        Assert.Same(thrown, error.InnerException);
        Assert.Equal(["thrower prepare", "thrower Aborted"], _log.Calls);
        Assert.Null(told);
    }

    [Fact]
    public void A_throwing_prepare_part_of_a_participant_aborts_too()
    {
        using Coordinator coordinator = new();
        CheckpointOutcome? told = null;
        coordinator.RegisterHandler("async", CheckpointHandler.Create(resume: outcome => told = outcome));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant =>
            participant.RegisterHandler(
                "thrower", _log.Handler("thrower", _ => throw new InvalidDataException())));
        using Attempt attempt = coordinator.Prepare();
        SnapshotException error = Assert.Throws<SnapshotException>(attempt.Stop);
        Assert.Equal(SnapshotErrorCode.HandlerFailed, error.Code);
        Assert.Equal(CheckpointOutcomeKind.Aborted, told!.Value.Kind);
        Assert.Same(error, told.Value.Cause);
        worker.Do(participant => participant.Poll());
    }

    [Fact]
    public void A_throwing_resume_part_is_reported_and_the_others_still_run()
    {
        using Coordinator coordinator = new();
        foreach (string name in new[] { "a", "b" })
            coordinator.RegisterHandler(
                name, _log.Handler(name, resume: _ => throw new InvalidDataException(name)));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant =>
            participant.RegisterHandler(
                "c", _log.Handler("c", resume: _ => throw new InvalidDataException("c"))));
        Attempt attempt = coordinator.Checkpoint();
        Assert.Equal(
            ["a", "b", "c"],
            attempt.ResumeErrors.Select(error => error.Handler).Order(StringComparer.Ordinal));
        Assert.Equal("w", attempt.ResumeErrors.Single(error => error.Handler == "c").Participant);
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void Omitting_leaves_the_participant_out_skips_its_other_prepare_parts_and_stops_it_all_the_same()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "scratch");
        using Worker other = Worker.Attach(coordinator, "kept");
        worker.Do(participant =>
        {
            participant.RegisterHandler("outer", _log.Handler("outer"));
            participant.RegisterHandler("inner", _log.Handler("inner", context => context.Omit()));
        });
        Attempt attempt = coordinator.Capture(5);
        Assert.Equal(["scratch"], attempt.Omitted);
        Assert.Equal(["kept"], coordinator.Export().Participants.Select(participant => participant.Name));
        Assert.Equal(ParticipantStatus.Parked, worker.Participant.Status);
        attempt.Finish();
        worker.Do(participant => participant.Poll());
        Assert.Equal(["inner prepare", "inner Omitted"], _log.Calls);
    }

    [Fact]
    public void An_async_handler_cannot_omit_and_a_context_ends_with_its_part()
    {
        using Coordinator coordinator = new();
        PrepareContext? kept = null;
        coordinator.RegisterHandler("h", CheckpointHandler.Create(context =>
        {
            kept = context;
            Assert.Throws<InvalidOperationException>(context.Omit);
        }));
        coordinator.Checkpoint();
        Assert.Throws<InvalidOperationException>(() => kept!.Abort(1));
    }

    [Fact]
    public void A_change_during_a_checkpoint_leaves_that_checkpoint_with_the_handlers_it_began_with()
    {
        using Coordinator coordinator = new();
        HandlerRegistration replaced = coordinator.RegisterHandler("replaced", _log.Handler("old"));
        HandlerRegistration disabled = coordinator.RegisterHandler("disabled", _log.Handler("disabled"));
        HandlerRegistration removed = coordinator.RegisterHandler("removed", _log.Handler("removed"));
        Attempt attempt = coordinator.Capture();
        replaced.Replace(_log.Handler("new"));
        disabled.Enabled = false;
        removed.Dispose();
        attempt.Finish();
        coordinator.RegisterHandler("last", _log.Handler("last"));
        disabled.Enabled = true;
        coordinator.Capture(2).Finish();
        Assert.Equal(
            [
                "removed prepare", "disabled prepare", "old prepare", "old Continued", "disabled Continued",
                "removed Continued"],
            _log.Calls.Where(call => !call.Contains("committed", StringComparison.Ordinal)).Take(6));
        Assert.Equal(
            [
                "last prepare", "disabled prepare", "new prepare", "new Continued", "disabled Continued",
                "last Continued"],
            _log.Calls.Where(call => !call.Contains("committed", StringComparison.Ordinal)).Skip(6));
    }

    [Fact]
    public void A_name_is_registered_once_and_an_unregistered_handler_cannot_be_changed()
    {
        using Coordinator coordinator = new();
        HandlerRegistration registration = coordinator.RegisterHandler("h", _log.Handler("h"));
        Assert.Equal(
            SnapshotErrorCode.NameTaken,
            Assert.Throws<SnapshotException>(() => coordinator.RegisterHandler("h", _log.Handler("h"))).Code);
        registration.Dispose();
        Assert.Throws<ObjectDisposedException>(() => registration.Replace(_log.Handler("h")));
        coordinator.RegisterHandler("h", _log.Handler("h"));
    }

    [Fact]
    public void Pre_copy_runs_while_the_handlers_prepare()
    {
        using Coordinator coordinator = new();
        using Barrier together = new(2);
        coordinator.RegisterHandler(
            "h",
            CheckpointHandler.Create(_ => Assert.True(together.SignalAndWait(CoordinatorExtensions.Long))));
        using Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long);
        attempt.PrepareAsync(() => Assert.True(together.SignalAndWait(CoordinatorExtensions.Long)));
    }

    [Fact]
    public void A_failing_pre_copy_aborts_and_its_exception_comes_out()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("h", _log.Handler("h"));
        using Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long);
        Assert.Throws<InvalidDataException>(
            () => attempt.PrepareAsync(() => throw new InvalidDataException()));
        Drain(coordinator);
        Assert.True(_log.Calls is [] or ["h prepare", "h Aborted"]);
        Assert.Equal(Phase.Idle, coordinator.Phase);
    }

    [Fact]
    public void An_async_handler_holds_arena_locks_under_its_own_id()
    {
        using Coordinator coordinator = new();
        int inPrepare = 0;
        int inResume = 0;
        coordinator.RegisterHandler("h", CheckpointHandler.Create(
            _ => inPrepare = LockOwner.Current!.OwnerId, _ => inResume = LockOwner.Current!.OwnerId));
        using Worker worker = Worker.Attach(coordinator, "w");
        coordinator.Checkpoint();
        Assert.NotEqual(0, inPrepare);
        Assert.Equal(inPrepare, inResume);
        Assert.NotEqual(worker.Participant.Id, inPrepare);
    }

    /// <summary>Waits until the handler thread has done what was queued.</summary>
    private static void Drain(Coordinator coordinator)
    {
        using ManualResetEventSlim done = new();
        coordinator.Async.Post(done.Set);
        Assert.True(done.Wait(CoordinatorExtensions.Long));
    }
}
