using System.Diagnostics;
using Snapshot.Coordination;
using Xunit;

#pragma warning disable xUnit1031 // To block is what these tests are about.

namespace Snapshot.Tests.Session;

/// <summary>
/// A participant that blocks until its checkpoint has ended is refused long before the deadline; one that is
/// slow to come, for whatever else, is not.
/// </summary>
public sealed class SelfDeadlockTests : IDisposable
{
    /// <summary>
    /// More than the patience of the coordinator on a busy machine, and far from the deadline of 60 s.
    /// </summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    private readonly TemporaryStore _store = new();
    private readonly SnapshotSession _session;

    public SelfDeadlockTests()
    {
        _session = SnapshotSession.Open(_store.Path);
        _session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 });
    }

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }

    public static TheoryData<string> DirectWaits =>
        ["Wait", "Result", "GetResult", "Committed", "Captured", "WaitAll"];

    [Theory]
    [MemberData(nameof(DirectWaits))]
    public void A_participant_that_blocks_in_a_task_of_its_checkpoint_is_refused_at_once(string wait)
    {
        using Participant me = _session.Attach("main");
        Stopwatch clock = Stopwatch.StartNew();
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, Refused(() => Block(wait)).Code);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, s_soon);
        Assert.Equal(1, _session.RequestCheckpoint().WaitCommittedInThread().Generation);
    }

    [Fact]
    public void The_handlers_and_who_watches_the_ticket_are_told_the_same()
    {
        CheckpointOutcome told = default;
        using HandlerRegistration handler = _session.RegisterHandler(
            "h", CheckpointHandler.Create(_ => { }, outcome => told = outcome));
        using Participant me = _session.Attach("main");
        CheckpointTicket ticket = _session.RequestCheckpoint();
        Task<SnapshotInfo> other = Task.Run(async () => await ticket.Committed);
        SnapshotException refusal = Refused(() => ticket.Committed.Wait());
        Assert.Same(refusal, Refused(() => other.Wait()));
        Assert.Contains("participant 'main'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("WaitCommittedInThread", refusal.Message, StringComparison.Ordinal);
        if (told.Kind == CheckpointOutcomeKind.Aborted) Assert.Same(refusal, told.Cause);
    }

    [Fact]
    public void A_task_that_awaits_the_checkpoint_is_found_to_block_the_participant()
    {
        using Participant me = _session.Attach("main");
        Stopwatch clock = Stopwatch.StartNew();
        SnapshotException refusal = Refused(() => Wrapped().Wait());
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, refusal.Code);
        Assert.Contains("participant 'main'", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, Requester.Patience, s_soon);
        Assert.Equal(1, _session.RequestCheckpoint().WaitCommittedInThread().Generation);

        async Task Wrapped() => await _session.CheckpointAsync().ConfigureAwait(false);
    }

    [Fact]
    public void In_a_critical_section_both_are_found()
    {
        using Participant me = _session.Attach("main");
        using (me.EnterCriticalSection())
        {
            Assert.Equal(
                SnapshotErrorCode.SelfDeadlock, Refused(() => _session.CheckpointAsync().Wait()).Code);
            Assert.Equal(SnapshotErrorCode.SelfDeadlock, Refused(() => Wrapped().Wait()).Code);
        }

        async Task Wrapped() => await _session.CheckpointAsync().ConfigureAwait(false);
    }

    [Fact]
    public void A_wait_for_a_checkpoint_in_line_ends_though_the_one_before_it_still_runs()
    {
        using Participant me = _session.Attach("main");
        CheckpointTicket first = _session.RequestCheckpoint();
        CheckpointTicket second = _session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true });
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, Refused(() => second.Committed.Wait()).Code);
        Assert.Equal(1, first.WaitCommittedInThread().Generation);
        Assert.Equal(
            2,
            _session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true })
                .WaitCommittedInThread().Generation);
    }

    [Fact]
    public async Task A_handler_and_a_progress_callback_that_block_are_refused()
    {
        SnapshotException? inHandler = null, inCallback = null;
        CheckpointTicket? own = null;
        using ManualResetEventSlim known = new();
        HandlerRegistration handler = _session.RegisterHandler("waits", CheckpointHandler.Create(
            _ => { known.Wait(); inHandler = Refused(() => own!.Committed.Wait()); }, _ => { }));
        own = _session.RequestCheckpoint();
        known.Set();
        Assert.Equal(
            SnapshotErrorCode.SelfDeadlock,
            (await Assert.ThrowsAsync<SnapshotException>(() => own.Committed)).Code);
        handler.Dispose();
        known.Reset();
        own = _session.RequestCheckpoint(
            new CheckpointOptions { WaitIfBusy = true },
            new Callback(() => { known.Wait(); inCallback ??= Refused(() => own!.Captured.Wait()); }));
        known.Set();
        await Assert.ThrowsAsync<SnapshotException>(() => own.Committed);
        await _session.CheckpointAsync(new CheckpointOptions { WaitIfBusy = true });
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, inHandler?.Code);
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, inCallback?.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_worker_of_fibers_that_blocks_is_refused(bool wrapped)
    {
        SnapshotErrorCode? code = null;
        Arena arena = _session.OpenArena("fibers", new ArenaOptions { Capacity = 64L << 20 });
        _session.RunFibers("w", arena, () => code = Refused(
            () => (wrapped ? Wrapped() : _session.CheckpointAsync()).Wait()).Code);
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, code);

        async Task Wrapped() => await _session.CheckpointAsync().ConfigureAwait(false);
    }

    [Fact]
    public void Who_asks_and_computes_longer_than_that_on_the_way_to_its_poll_is_awaited()
    {
        using Participant me = _session.Attach("main");
        Task<SnapshotInfo> asked = _session.CheckpointAsync();
        for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < 2 * Requester.Patience;)
            Thread.SpinWait(1000);
        PollUntil(me, asked);
    }

    [Fact]
    public void Who_asks_and_waits_for_a_lock_that_another_participant_frees_soon_is_awaited()
    {
        object gate = new();
        using ManualResetEventSlim held = new(), asked = new();
        using Participant me = _session.Attach("main");
        Thread holder = new(() =>
        {
            using Participant other = _session.Attach("other");
            lock (gate)
            {
                held.Set();
                asked.Wait();
                Thread.Sleep(Requester.Patience / 4);
            }

            while (other.LastAttempt is null) other.Poll();
        });
        holder.Start();
        held.Wait();
        Task<SnapshotInfo> checkpoint = _session.CheckpointAsync();
        asked.Set();
        lock (gate) me.Poll();
        PollUntil(me, checkpoint);
        holder.Join();
    }

    [Fact]
    public void Who_asks_and_sleeps_again_and_again_for_a_moment_is_awaited()
    {
        using Participant me = _session.Attach("main");
        Task<SnapshotInfo> asked = _session.CheckpointAsync();
        for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < 2 * Requester.Patience;)
        {
            Thread.Sleep(Requester.Patience / 10);
            Stopwatch busy = Stopwatch.StartNew();
            while (busy.ElapsedMilliseconds < 50) Thread.SpinWait(1000);
        }

        PollUntil(me, asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void In_a_blocked_region_one_may_block(bool asksInside)
    {
        using Participant me = _session.Attach("main");
        Task<SnapshotInfo>? asked = asksInside ? null : _session.CheckpointAsync();
        using (me.EnterBlockedRegion("the checkpoint"))
            Assert.Equal(1, (asked ?? _session.CheckpointAsync()).GetAwaiter().GetResult().Generation);
    }

    [Fact]
    public void Once_captured_one_may_block_until_it_is_committed()
    {
        using Participant me = _session.Attach("main");
        CheckpointTicket ticket = _session.RequestCheckpoint();
        ticket.WaitCapturedInThread();
        Assert.Equal(1, ticket.Committed.Result.Generation);
    }

    [Fact]
    public void A_participant_of_another_session_and_a_thread_of_none_may_block()
    {
        using TemporaryStore store = new();
        using SnapshotSession other = SnapshotSession.Open(store.Path);
        using Participant me = other.Attach("main");
        Assert.Equal(1, _session.CheckpointAsync().Result.Generation);
        Assert.Equal(2, Task.Run(() => _session.CheckpointAsync().Result).Result.Generation);
    }

    private static void PollUntil(Participant me, Task<SnapshotInfo> checkpoint)
    {
        while (!checkpoint.IsCompleted) me.Poll();
        Assert.Equal(1, checkpoint.Result.Generation);
    }

    private static SnapshotException Refused(Action wait)
    {
        Exception thrown = Assert.ThrowsAny<Exception>(wait);
        return Assert.IsType<SnapshotException>((thrown as AggregateException)?.InnerException ?? thrown);
    }

    private void Block(string wait)
    {
        switch (wait)
        {
            case "Wait": _session.CheckpointAsync().Wait(); break;
            case "Result": _ = _session.CheckpointAsync().Result; break;
            case "GetResult": _session.CheckpointAsync().GetAwaiter().GetResult(); break;
            case "Committed": _session.RequestCheckpoint().Committed.Wait(); break;
            case "Captured": _session.RequestCheckpoint().Captured.Wait(); break;
            default: Task.WaitAll(_session.CheckpointAsync()); break;
        }
    }

    private sealed class Callback(Action call) : IProgress<SnapshotProgress>
    {
        public void Report(SnapshotProgress value) => call();
    }
}
