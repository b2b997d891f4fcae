using Snapshot.Coordination;
using Xunit;

namespace Snapshot.Tests.Coordination;

/// <summary>
/// Participants are stopped for something that must not see anybody write, and nobody else knows.
/// </summary>
public sealed class BriefStopTests : IDisposable
{
    private readonly CallLog _log = new();
    private readonly Coordinator _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public void Everybody_stands_still_meanwhile_and_goes_on_after_it()
    {
        using Worker first = Worker.Attach(_coordinator, "1");
        using Worker second = Worker.Attach(_coordinator, "2");
        Task? later = null;
        ParticipantStatus[] statuses = [];
        Stop(() =>
        {
            statuses = [first.Participant.Status, second.Participant.Status];
            later = first.Start(_ => { });
            Assert.Equal(Phase.Capture, _coordinator.Phase);
            Assert.False(later.IsCompleted);
        });
        Assert.Equal([ParticipantStatus.Parked, ParticipantStatus.Parked], statuses);
        later!.Join();
        Assert.Equal(Phase.Idle, _coordinator.Phase);
    }

    [Fact]
    public void No_handler_is_called_and_none_is_told()
    {
        using Worker parked = AttachWithHandler("parked", Gates.OnContinue);
        using Worker blocked = AttachWithHandler("blocked", Gates.None);
        _coordinator.RegisterHandler("async", _log.Handler("async"));
        blocked.Do(participant =>
        {
            using (participant.EnterBlockedRegion("a test")) Task.Run(() => Stop(() => { })).Join();
            participant.Poll();
        });
        parked.Do(participant => participant.Poll());
        Assert.Empty(_log.Calls);

        _coordinator.Checkpoint();
        Assert.Contains("async prepare", _log.Calls);
        Assert.Contains("parked prepare", _log.Calls);
    }

    [Fact]
    public void A_commit_that_is_told_later_is_told_after_it()
    {
        _coordinator.RegisterHandler("async", _log.Handler("async"));
        using Attempt attempt = _coordinator.Begin(
            new AttemptTerms(1, TimeSpan.FromMinutes(1), default) { TellsCommittedLater = true });
        attempt.PrepareAsync(meanwhile: () => { });
        attempt.Stop();
        attempt.Release();
        attempt.BeginCommit();
        attempt.Complete();
        Stop(() => { }, generation: 2);
        attempt.Untold!.TellLate();
        _coordinator.Dispose();
        _coordinator.AwaitHandlers();
        Assert.Contains("async committed 1", _log.Calls);
    }

    [Fact]
    public void What_fails_meanwhile_is_thrown_and_everybody_goes_on()
    {
        using Worker worker = AttachWithHandler("w", Gates.OnContinue);
        Assert.Throws<InvalidTimeZoneException>(() => Stop(() => throw new InvalidTimeZoneException()));
        worker.Do(_ => { });
        Assert.Equal(Phase.Idle, _coordinator.Phase);
        Assert.Empty(_log.Calls);
        _coordinator.Checkpoint();
    }

    [Fact]
    public void Who_does_not_come_in_time_is_named_and_the_others_go_on()
    {
        using Worker late = Worker.Attach(_coordinator, "late");
        using Worker other = AttachWithHandler("other", Gates.None);
        using ManualResetEventSlim begun = new(), go = new();
        Task busy = late.Start(_ =>
        {
            begun.Set();
            go.Wait();
        });
        begun.Wait();
        SnapshotException error = Assert.Throws<SnapshotException>(() => _coordinator.StopBriefly(
            7, TimeSpan.FromMilliseconds(50), () => Assert.Fail("not everybody stands still"), null,
            default));
        Assert.Equal(SnapshotErrorCode.TimedOut, error.Code);
        Assert.Equal(7, error.Generation);
        Assert.Contains("'late'", error.Message, StringComparison.Ordinal);
        other.Do(_ => { });
        go.Set();
        busy.Join();
        Assert.Empty(_log.Calls);
        _coordinator.Checkpoint();
    }

    [Fact]
    public void A_critical_section_holds_it_back()
    {
        using Worker worker = Worker.Attach(_coordinator, "w");
        using ManualResetEventSlim inside = new(), leave = new();
        bool isOpen = false;
        Task work = worker.Start(participant =>
        {
            using (participant.EnterCriticalSection())
            {
                Volatile.Write(ref isOpen, true);
                inside.Set();
                leave.Wait();
                Volatile.Write(ref isOpen, false);
            }
        });
        inside.Wait();
        Task stop = Task.Run(() => Stop(() => Assert.False(Volatile.Read(ref isOpen))));
        SpinWait.SpinUntil(() => _coordinator.Phase == Phase.Pending);
        leave.Set();
        stop.Join();
        work.Join();
    }

    [Fact]
    public void Who_leaves_a_critical_section_meanwhile_takes_the_checkpoint_that_follows_before_it_goes_on()
    {
        using Worker worker = AttachWithHandler("w", Gates.None);
        using ManualResetEventSlim inside = new(), leave = new();
        string[] before = [], after = [];
        Task work = worker.Start(participant =>
        {
            using (participant.EnterCriticalSection())
            {
                inside.Set();
                leave.Wait();
                before = _log.Calls;
            }

            after = _log.Calls;
        });
        inside.Wait();
        Task checkpoint = Task.Run(() =>
        {
            _coordinator.StopBriefly(1, CoordinatorExtensions.Long, () => { }, null, default);
            _coordinator.Checkpoint();
        });
        SpinWait.SpinUntil(() => _coordinator.Phase == Phase.Pending);
        leave.Set();
        checkpoint.Join();
        work.Join();
        Assert.Empty(before);
        Assert.Contains("w prepare", after);
    }

    [Fact]
    public void Cancelled_before_it_began_it_does_nothing()
    {
        using Worker worker = Worker.Attach(_coordinator, "w");
        Assert.Throws<OperationCanceledException>(
            () => _coordinator.StopBriefly(
                1, CoordinatorExtensions.Long, () => { }, null, new CancellationToken(true)));
        Assert.Equal(Phase.Idle, _coordinator.Phase);
    }

    private Worker AttachWithHandler(string name, Gates gates)
    {
        ParticipantOptions options = new() { Gates = gates, Handlers = [(name, _log.Handler(name))] };
        return Worker.Attach(_coordinator, name, options);
    }

    private void Stop(Action work, long generation = 1)
    {
        _coordinator.StopBriefly(generation, CoordinatorExtensions.Long, work, null, default);

        // No checkpoint follows.
        _coordinator.Barrier.EndAnnouncement();
    }
}
