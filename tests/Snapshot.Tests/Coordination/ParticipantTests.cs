using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Coordination;

public sealed unsafe class ParticipantTests
{
    private readonly CallLog _log = new();

    [Fact]
    public void A_checkpoint_without_participants_goes_through_every_phase()
    {
        using Coordinator coordinator = new();
        Assert.Equal(Phase.Idle, coordinator.Phase);
        Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long);
        Assert.Equal(Phase.Async, coordinator.Phase);
        attempt.PrepareAsync(() => { });
        attempt.Stop();
        Assert.Equal(Phase.Capture, coordinator.Phase);
        attempt.Release();
        Assert.Equal(Phase.Drain, coordinator.Phase);
        attempt.BeginCommit();
        Assert.Equal(Phase.Commit, coordinator.Phase);
        attempt.Complete();
        Assert.Equal(Phase.Idle, coordinator.Phase);
    }

    [Fact]
    public void Capture_finds_every_participant_parked_and_release_lets_them_go_on()
    {
        using Coordinator coordinator = new();
        using Worker first = Worker.Attach(coordinator, "1");
        using Worker second = Worker.Attach(coordinator, "2");
        Attempt attempt = coordinator.Capture();
        Assert.Equal(
            [ParticipantStatus.Parked, ParticipantStatus.Parked],
            attempt.Captured.ToArray().Select(captured => captured.Status));
        Task later = first.Start(_ => { });
        Assert.False(later.IsCompleted);
        attempt.Finish();
        later.Join();
        Assert.True(
            attempt.SyncRaised <= attempt.LastArrived && attempt.FirstStopped <= attempt.LastArrived
                && attempt.LastArrived <= attempt.Released);
    }

    [Fact]
    public void A_second_request_is_busy_until_the_first_is_over()
    {
        using Coordinator coordinator = new();
        Attempt attempt = coordinator.Capture();
        Assert.Equal(
            SnapshotErrorCode.Busy,
            Assert.Throws<SnapshotException>(() => coordinator.Begin(2, CoordinatorExtensions.Long)).Code);
        attempt.Finish();
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void A_critical_section_holds_back_the_whole_checkpoint_and_its_exit_takes_it()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", _log.Handler("async"));
        using Worker worker = Worker.Attach(coordinator, "w");
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        bool wasTakenOnExit = false;
        Task work = worker.Start(participant =>
        {
            using (participant.EnterCriticalSection())
            {
                using (participant.EnterCriticalSection()) inside.Set();
                leave.Wait();
                participant.Poll();
                Assert.Null(participant.LastAttempt);
            }

            wasTakenOnExit = participant.LastAttempt is not null;
        });
        inside.Wait();
        Task<Attempt> checkpoint = Task.Run(() => coordinator.Capture());
        AwaitPhase(coordinator, Phase.Pending);
        Assert.Empty(_log.Calls);
        leave.Set();
        checkpoint.Join().Finish();
        work.Join();
        Assert.True(wasTakenOnExit);
    }

    [Fact]
    public void While_a_checkpoint_is_pending_the_outermost_entry_waits_and_a_nested_one_does_not()
    {
        using Coordinator coordinator = new();
        using Worker holder = Worker.Attach(coordinator, "holder");
        using Worker late = Worker.Attach(coordinator, "late");
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        Task holding = holder.Start(participant =>
        {
            using CriticalSection outer = participant.EnterCriticalSection();
            inside.Set();
            leave.Wait();
            Assert.True(participant.TryEnterCriticalSection(out CriticalSection nested));
            nested.Dispose();
        });
        inside.Wait();
        Task<Attempt> checkpoint = Task.Run(() => coordinator.Capture());
        AwaitPhase(coordinator, Phase.Pending);
        late.Do(participant => Assert.False(participant.TryEnterCriticalSection(out _)));
        bool enteredAfterwards = false;
        Task entering = late.Start(participant =>
        {
            using CriticalSection section = participant.EnterCriticalSection();
            enteredAfterwards = participant.LastAttempt is not null;
        });
        leave.Set();
        checkpoint.Join().Finish();
        entering.Join();
        holding.Join();
        Assert.True(enteredAfterwards);
    }

    [Fact]
    public void Critical_sections_work_while_an_image_is_drained()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        Attempt attempt = coordinator.Capture();
        attempt.Release();
        worker.Do(participant => participant.EnterCriticalSection().Dispose());
        attempt.BeginCommit();
        attempt.Complete();
    }

    [Fact]
    public void Inside_a_handler_a_critical_section_and_a_poll_do_nothing()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler("h", CheckpointHandler.Create(_ =>
        {
            using (participant.EnterCriticalSection()) participant.Poll();
            using (participant.EnterBlockedRegion()) participant.Poll();
        })));
        coordinator.Checkpoint();
    }

    [Fact]
    public void A_blocked_participant_counts_as_stopped_and_waits_on_leaving_while_memory_is_captured()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler("h", _log.Handler("h")));
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        Task blocked = worker.Start(participant =>
        {
            using (participant.EnterBlockedRegion("a message"))
            using (participant.EnterBlockedRegion())
            {
                inside.Set();
                leave.Wait();
            }

            _log.Add("left");
        });
        inside.Wait();
        Attempt attempt = coordinator.Capture();
        Assert.Equal(ParticipantStatus.Blocked, attempt.Captured[0].Status);
        leave.Set();
        Assert.Equal(Phase.Capture, coordinator.Phase);
        _log.Add("release");
        attempt.Release();
        blocked.Join();
        Assert.Equal(["release", "left"], _log.Calls);
        attempt.BeginCommit();
        attempt.Complete();
        worker.Do(participant => participant.Poll());
        Assert.Equal(["release", "left", "h committed 1"], _log.Calls);
    }

    [Fact]
    public void Leaving_a_blocked_region_while_participants_are_being_stopped_takes_part()
    {
        using Coordinator coordinator = new();
        using Worker slow = Worker.Attach(coordinator, "slow");
        using Worker worker = Worker.Attach(coordinator, "w");
        using ManualResetEventSlim hold = new();
        worker.Do(participant => participant.RegisterHandler("h", _log.Handler("h", _ => hold.Set())));
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        slow.Do(participant => participant.RegisterHandler("late", CheckpointHandler.Create(_ =>
        {
            leave.Set();
            Assert.True(hold.Wait(CoordinatorExtensions.Long));
        })));
        Task blocked = worker.Start(participant =>
        {
            using BlockedRegion region = participant.EnterBlockedRegion();
            inside.Set();
            leave.Wait();
        });
        inside.Wait();
        coordinator.Checkpoint();
        blocked.Join();
        Assert.Contains("h prepare", _log.Calls);
        Assert.Contains("h Continued", _log.Calls);
    }

    [Fact]
    public void Who_waits_for_an_arena_lock_takes_part_with_its_handlers_and_waits_again()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        uint* word = (uint*)NativeMemory.AllocZeroed(sizeof(uint));
        worker.Do(participant => participant.RegisterHandler("h", _log.Handler("h")));
        Task waiting = worker.Start(_ =>
        {
            while (Volatile.Read(ref *word) == 0) LockOwner.Current!.Wait(word, 0, -1);
            _log.Add("locked");
        });
        coordinator.Checkpoint(1);
        coordinator.Checkpoint(2);
        Volatile.Write(ref *word, 1);
        Futex.WakeAll(word);
        waiting.Join();
        Assert.Equal(
            ["h prepare", "h Continued", "h prepare", "h Continued", "locked"],
            _log.Calls.Where(call => !call.Contains("committed", StringComparison.Ordinal)));
        NativeMemory.Free(word);
    }

    [Fact]
    public void A_wait_tells_when_its_time_has_passed()
    {
        using Coordinator coordinator = new();
        using Participant participant = coordinator.Attach("p");
        uint word = 0;
        Assert.False(LockOwner.Current!.Wait(&word, 0, 1_000_000));
        Assert.True(LockOwner.Current!.Wait(&word, 1, 1_000_000));
        Assert.True(Futex.WaitSlice(&word, 0, &word, 1, -1));
        Assert.True(Futex.WaitSlice(&word, 0, &word, 0, -1));
        Assert.False(Futex.WaitSlice(&word, 0, &word, 0, 1000));
    }

    [Fact]
    public void A_newcomer_waits_while_memory_is_captured()
    {
        using Coordinator coordinator = new();
        Attempt attempt = coordinator.Capture();
        using Worker worker = Worker.BeginAttach(coordinator, "w");
        AwaitTable(coordinator, 1);
        Assert.False(worker.Attached.IsCompleted);
        Assert.Empty(attempt.Captured.ToArray());
        attempt.Finish();
        Assert.Equal("w", worker.Participant.Name);
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void Nobody_waits_for_one_who_leaves_during_the_stop()
    {
        using Coordinator coordinator = new();
        using Worker stays = Worker.Attach(coordinator, "stays");
        using Worker leaves = Worker.Attach(coordinator, "leaves");
        using ManualResetEventSlim raised = new();
        stays.Do(
            participant => participant.RegisterHandler("h", CheckpointHandler.Create(_ => raised.Set())));
        using ManualResetEventSlim inside = new();
        Task leaving = leaves.Start(participant =>
        {
            inside.Set();
            raised.Wait();
            participant.Dispose();
        });
        inside.Wait();
        Attempt attempt = coordinator.Capture();
        Assert.Equal(["stays"], attempt.Captured.ToArray().Select(captured => captured.Participant.Name));
        attempt.Finish();
        leaving.Join();
    }

    [Theory]
    [InlineData("running")]
    [InlineData("critical")]
    [InlineData("blocked")]
    public void A_participant_whose_thread_died_is_removed_once_and_reported(string where)
    {
        using Coordinator coordinator = new();
        List<string> reported = [];
        coordinator.ParticipantDied = reported.Add;
        Worker worker = Worker.Attach(coordinator, "mortal");
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim raised = new();
        using Worker other = Worker.Attach(coordinator, "other");
        other.Do(
            participant => participant.RegisterHandler("h", CheckpointHandler.Create(_ => raised.Set())));
        Task dying = Task.Run(() => worker.Die(participant =>
        {
            if (where == "critical") _ = participant.EnterCriticalSection();
            else if (where == "blocked") _ = participant.EnterBlockedRegion();
            inside.Set();
            if (where == "running") raised.Wait();
        }));
        inside.Wait();
        if (where != "running") dying.Join();
        Attempt attempt = coordinator.Checkpoint();
        dying.Join();
        coordinator.Checkpoint(2);
        Assert.Equal(["mortal"], reported);
        Assert.Equal(["mortal"], attempt.Died);
        using Worker successor = Worker.Attach(coordinator, "mortal");
        coordinator.Checkpoint(3);
        Assert.Equal(0, PhaseWord.HeldOf(coordinator.Barrier.Read()));
        Assert.Equal(2, PhaseWord.RunningOf(coordinator.Barrier.Read()));
    }

    [Fact]
    public void Several_threads_may_notice_deaths_while_they_are_reported()
    {
        const int threads = 4, deaths = 20_000;
        using Coordinator coordinator = new();
        Attempt attempt = coordinator.Checkpoint();
        Thread[] noticing = [.. Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (int death = 0; death < deaths; death++) attempt.NoteDead($"{thread} {death}");
        }))];
        foreach (Thread thread in noticing) thread.Start();
        while (noticing.Any(thread => thread.IsAlive)) Assert.DoesNotContain(null, attempt.Died.TakeLast(10));
        foreach (Thread thread in noticing) thread.Join();
        Assert.Equal(threads * deaths, attempt.Died.Distinct().Count());
    }

    [Fact]
    public void A_deadline_in_the_stop_names_the_late_what_they_do_and_leaves_nothing_open()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", _log.Handler("async"));
        using Worker onTime = Worker.Attach(coordinator, "on-time");
        using Worker late = Worker.Attach(coordinator, "late");
        using ManualResetEventSlim goOn = new();
        using ManualResetEventSlim inside = new();
        Task busy = late.Start(participant =>
        {
            participant.Activity = "sweep 12";
            inside.Set();
            goOn.Wait();
            participant.Poll();
        });
        inside.Wait();
        Attempt attempt = coordinator.Begin(1, TimeSpan.FromMilliseconds(50));
        attempt.PrepareAsync(() => { });
        SnapshotException error = Assert.Throws<SnapshotException>(attempt.Stop);
        Assert.Equal(SnapshotErrorCode.TimedOut, error.Code);
        Assert.Contains("'late'", error.Message, StringComparison.Ordinal);
        Assert.Contains("worker late", error.Message, StringComparison.Ordinal);
        Assert.Contains("running application code", error.Message, StringComparison.Ordinal);
        Assert.Contains("sweep 12", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("on-time", error.Message, StringComparison.Ordinal);
        Assert.Single(attempt.Late);
        Assert.Equal(["async prepare", "async Aborted"], _log.Calls);
        goOn.Set();
        busy.Join();
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void A_deadline_names_the_sync_handler_that_is_late_and_the_handler_hears_of_the_abort_when_it_is_done()
    {
        using Coordinator coordinator = new();
        using Worker late = Worker.Attach(coordinator, "late");
        using ManualResetEventSlim goOn = new();
        bool isFirst = true;
        late.Do(participant => participant.RegisterHandler("slow", _log.Handler("slow", _ =>
        {
            if (isFirst) goOn.Wait();
            isFirst = false;
        })));
        Attempt attempt = coordinator.Begin(1, TimeSpan.FromMilliseconds(20));
        attempt.PrepareAsync(() => { });
        SnapshotException error = Assert.Throws<SnapshotException>(attempt.Stop);
        Assert.Contains("in the prepare part of handler 'slow'", error.Message, StringComparison.Ordinal);
        Assert.Equal(["slow prepare"], _log.Calls);
        goOn.Set();
        coordinator.Checkpoint(2);
        Assert.Equal(
            ["slow prepare", "slow Aborted", "slow prepare", "slow Continued"],
            _log.Calls.Where(call => !call.Contains("committed", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_deadline_while_a_critical_section_is_open_names_its_participant()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "inside");
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim leave = new();
        Task holding = worker.Start(participant =>
        {
            using CriticalSection section = participant.EnterCriticalSection();
            inside.Set();
            leave.Wait();
        });
        inside.Wait();
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => coordinator.Begin(1, TimeSpan.FromMilliseconds(20)));
        Assert.Equal(SnapshotErrorCode.TimedOut, error.Code);
        Assert.Contains("'inside'", error.Message, StringComparison.Ordinal);
        Assert.Contains("in a critical section", error.Message, StringComparison.Ordinal);
        leave.Set();
        holding.Join();
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void A_deadline_names_the_async_handler_that_is_late_and_the_next_attempt_comes_after_it()
    {
        using Coordinator coordinator = new();
        using ManualResetEventSlim goOn = new();
        bool isFirst = true;
        coordinator.RegisterHandler("slow", _log.Handler("slow", _ =>
        {
            if (isFirst) goOn.Wait();
            isFirst = false;
        }));
        Attempt attempt = coordinator.Begin(1, TimeSpan.FromMilliseconds(20));
        SnapshotException error = Assert.Throws<SnapshotException>(() => attempt.PrepareAsync(() => { }));
        Assert.Contains("in the prepare part of handler 'slow'", error.Message, StringComparison.Ordinal);
        goOn.Set();
        coordinator.Checkpoint(2);
        Assert.Equal(
            ["slow prepare", "slow Aborted", "slow prepare", "slow Continued"],
            _log.Calls.Where(call => !call.Contains("committed", StringComparison.Ordinal)));
    }

    [Fact]
    public void Cancellation_aborts_and_leaves_nothing_open()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        using ManualResetEventSlim goOn = new();
        using ManualResetEventSlim inside = new();
        Task busy = worker.Start(_ =>
        {
            inside.Set();
            goOn.Wait();
        });
        inside.Wait();
        using CancellationTokenSource cancellation = new();
        Attempt attempt = coordinator.Begin(1, CoordinatorExtensions.Long, cancellation.Token);
        attempt.PrepareAsync(cancellation.Cancel);
        Assert.Throws<OperationCanceledException>(attempt.Stop);
        goOn.Set();
        busy.Join();
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void Aborting_after_the_release_tells_no_handler_again()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("h", _log.Handler("h"));
        Attempt attempt = coordinator.Capture();
        attempt.Release();
        attempt.Abort(new SnapshotException(SnapshotErrorCode.StoreIo, "disk full"));
        attempt.AwaitResumed(CoordinatorExtensions.Long);
        Assert.Equal(Phase.Idle, coordinator.Phase);
        coordinator.Checkpoint(2);
        Assert.Equal(["h prepare", "h Continued", "h prepare", "h Continued"], _log.Calls.Take(4));
    }

    [Fact]
    public void Aborting_the_capture_tells_everybody()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", _log.Handler("async"));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler("sync", _log.Handler("sync")));
        using (coordinator.Capture())
        {
        }

        Assert.Equal(
            ["async Aborted", "async prepare", "sync Aborted", "sync prepare"],
            _log.Calls.Order(StringComparer.Ordinal));
        worker.Do(participant => participant.Poll());
    }

    [Fact]
    public void Another_thread_and_a_participant_that_left_are_refused()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        Assert.Throws<InvalidOperationException>(() => worker.Participant.EnterCriticalSection());
        Participant participant = coordinator.Attach("me");
        Assert.Same(participant, Participant.Current);
        Assert.Throws<InvalidOperationException>(() => coordinator.Attach("me too"));
        using (participant.EnterBlockedRegion())
            Assert.Throws<InvalidOperationException>(() => participant.EnterCriticalSection());
        participant.Dispose();
        participant.Dispose();
        Assert.Null(Participant.Current);
        Assert.Throws<ObjectDisposedException>(participant.Poll);
    }

    [Fact]
    public void Disposed_by_another_thread_a_participant_leaves_at_its_own_next_poll_and_not_before()
    {
        using Coordinator coordinator = new();
        using ManualResetEventSlim disposed = new(), goesOn = new(), asked = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        Task leaving = worker.Start(participant =>
        {
            disposed.Wait();
            using (participant.EnterCriticalSection()) participant.Poll();
            goesOn.Set();
            asked.Wait();
            participant.Poll();
            Assert.Null(Participant.Current);
            participant.Dispose();
        });
        worker.Participant.Dispose();
        disposed.Set();
        goesOn.Wait();
        Attempt attempt = coordinator.Begin(1, TimeSpan.FromMilliseconds(50));
        attempt.PrepareAsync(() => { });
        SnapshotException late = Assert.Throws<SnapshotException>(attempt.Stop);
        Assert.Equal(SnapshotErrorCode.TimedOut, late.Code);
        Assert.Contains("'w'", late.Message, StringComparison.Ordinal);
        Assert.Contains("disposed by another thread", late.Message, StringComparison.Ordinal);
        asked.Set();
        leaving.Join();
        coordinator.Checkpoint(2);
    }

    [Fact]
    public void Disposed_in_its_own_handler_a_participant_leaves_at_its_next_poll()
    {
        using Coordinator coordinator = new();
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant => participant.RegisterHandler(
            "h", CheckpointHandler.Create(_ => participant.Dispose())));
        Attempt attempt = coordinator.Capture();
        Assert.Equal(["w"], attempt.Captured.ToArray().Select(captured => captured.Participant.Name));
        attempt.Finish();
        worker.Do(participant =>
        {
            participant.Poll();
            Assert.Null(Participant.Current);
        });
    }

    [Fact]
    public void A_name_is_free_again_after_leaving_and_keeps_its_id()
    {
        using Coordinator coordinator = new();
        using Worker first = Worker.Attach(coordinator, "w");
        int id = first.Participant.Id;
        Assert.Equal(
            SnapshotErrorCode.NameTaken,
            Assert.Throws<SnapshotException>(() => coordinator.Attach("w")).Code);
        first.Do(participant => participant.Dispose());
        using Participant again = coordinator.Attach("w");
        Assert.Equal(id, again.Id);
    }

    [Fact]
    public void Waiting_for_a_checkpoint_is_a_self_deadlock_inside_critical_sections_and_handlers_only()
    {
        using Coordinator coordinator = new();
        string? inAsync = null;
        string? inSync = null;
        coordinator.RegisterHandler(
            "async", CheckpointHandler.Create(_ => inAsync = Coordinator.WhyWaitingWouldDeadlock()));
        using Worker worker = Worker.Attach(coordinator, "w");
        worker.Do(participant =>
        {
            Assert.Null(Coordinator.WhyWaitingWouldDeadlock());
            using (participant.EnterCriticalSection())
                Assert.Contains(
                    "critical section", Coordinator.WhyWaitingWouldDeadlock(), StringComparison.Ordinal);
            participant.RegisterHandler(
                "sync", CheckpointHandler.Create(_ => inSync = Coordinator.WhyWaitingWouldDeadlock()));
        });
        coordinator.Checkpoint();
        Assert.Contains("'async'", inAsync, StringComparison.Ordinal);
        Assert.Contains("'sync'", inSync, StringComparison.Ordinal);
        Assert.Null(Coordinator.WhyWaitingWouldDeadlock());
    }

    [Fact]
    public void The_continue_gate_opens_when_all_resume_parts_are_done()
    {
        using Coordinator coordinator = new(Gates.OnContinue);
        using ManualResetEventSlim goOn = new();
        coordinator.RegisterHandler("slow", _log.Handler("slow", resume: _ =>
        {
            goOn.Wait();
            _log.Add("slow done");
        }));
        using Worker gated = Worker.Attach(coordinator, "gated");
        using Worker free = Worker.Attach(coordinator, "free", new ParticipantOptions { Gates = Gates.None });
        Attempt attempt = coordinator.Capture();
        Task after = gated.Start(_ => _log.Add("application"));
        attempt.Release();
        free.Do(_ => { });
        Assert.DoesNotContain("application", _log.Calls);
        goOn.Set();
        after.Join();
        Assert.Equal(["slow prepare", "slow Continued", "slow done", "application"], _log.Calls);
        attempt.BeginCommit();
        attempt.Complete();
    }

    [Fact]
    public void The_coordinator_allocates_nothing_while_participants_are_stopped()
    {
        using Coordinator coordinator = new();
        coordinator.RegisterHandler("async", CheckpointHandler.Create());
        using Worker first = Worker.Attach(coordinator, "1");
        using Worker second = Worker.Attach(coordinator, "2");
        long[] allocated = new long[4];
        for (int round = 0; round < allocated.Length; round++)
        {
            Attempt attempt = coordinator.Prepare(round);
            long before = GC.GetAllocatedBytesForCurrentThread();
            attempt.Stop();
            attempt.Release();
            allocated[round] = GC.GetAllocatedBytesForCurrentThread() - before;
            attempt.BeginCommit();
            attempt.Complete();
        }

        Assert.Equal(0, allocated[^1]);
    }

    [Fact]
    public void Safepoints_with_nothing_pending_allocate_nothing()
    {
        using Coordinator coordinator = new();
        using Participant participant = coordinator.Attach("p");
        long allocated = 0;
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            participant.Poll();
            using (participant.EnterCriticalSection()) participant.Poll();
            using (participant.EnterBlockedRegion("nothing"))
            {
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    private static void AwaitPhase(Coordinator coordinator, Phase phase) =>
        SpinWait.SpinUntil(() => coordinator.Phase == phase);

    private static void AwaitTable(Coordinator coordinator, int count) =>
        SpinWait.SpinUntil(() => coordinator.Table.ToArray().Length == count);
}
