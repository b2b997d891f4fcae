using Xunit;

namespace Snapshot.Tests.Session;

public sealed class FailureTests : IDisposable
{
    private static readonly ArenaOptions s_small = new() { Capacity = 64L << 20 };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_an_aborted_checkpoint_had_collected_is_in_the_next_one()
    {
        bool abort = false;
        await using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            ArenaArray<long> array = session.OpenArena("a", s_small).RootArray<long>("array", 4096);
            using HandlerRegistration handler = session.RegisterHandler(
                "aborts", CheckpointHandler.Create(
                    context => { if (abort) context.Abort(42, "the test says so"); }, _ => { }));
            await session.CheckpointAsync();
            array.AsSpan().Fill(1);
            abort = true;
            SnapshotException error =
                await Assert.ThrowsAsync<SnapshotException>(() => session.CheckpointAsync());
            Assert.Equal(SnapshotErrorCode.Aborted, error.Code);
            Assert.Equal(42, error.AbortCode);
            abort = false;
            Assert.True((await session.CheckpointAsync()).PagesChanged >= 8);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Assert.False(restarted.OpenArena("a").RootArray<long>("array", 4096).AsSpan().ContainsAnyExcept(1L));
    }

    [Fact]
    public async Task What_a_checkpoint_cancelled_while_it_drained_had_collected_is_in_the_next_one()
    {
        await using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            ArenaArray<long> array = session.OpenArena("a", s_small).RootArray<long>("array", 1 << 20);
            await session.CheckpointAsync();
            array.AsSpan().Fill(1);
            using CancelWhenDraining cancel = new();
            CheckpointTicket ticket = session.RequestCheckpoint(null, cancel, cancel.Token);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ticket.Committed);
            await ticket.Captured;
            Assert.Equal(1, session.Store.Newest!.Generation);
            Assert.Single(session.Store.Generations);
            Assert.True((await session.CheckpointAsync()).PagesChanged >= 2048);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Assert.Equal(2, restarted.Restarted!.Generation);
        Assert.False(
            restarted.OpenArena("a").RootArray<long>("array", 1 << 20).AsSpan().ContainsAnyExcept(1L));
    }

    [Fact]
    public async Task A_second_request_is_busy_or_waits_as_it_asks()
    {
        using ManualResetEventSlim inside = new(), go = new();
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small);
        session.RegisterHandler(
            "parks", CheckpointHandler.Create(_ => { inside.Set(); go.Wait(); }, _ => { }));
        CheckpointTicket first = session.RequestCheckpoint();
        inside.Wait();
        SnapshotException busy = Assert.Throws<SnapshotException>(() => session.RequestCheckpoint());
        Assert.Equal(SnapshotErrorCode.Busy, busy.Code);
        CheckpointTicket second = session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true });
        go.Set();
        Assert.Equal(1, (await first.Committed).Generation);
        Assert.Equal(2, (await second.Committed).Generation);
    }

    [Fact]
    public async Task The_deadline_names_the_late_participant_and_nothing_is_lost()
    {
        using ManualResetEventSlim attached = new(), go = new();
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small).RootArray<long>("array", 4096).AsSpan().Fill(1);
        Thread worker = new(() =>
        {
            using Participant me = session.Attach("worker-7");
            me.Activity = "solving";
            attached.Set();
            go.Wait();
        });
        worker.Start();
        attached.Wait();
        SnapshotException late = await Assert.ThrowsAsync<SnapshotException>(
            () => session.CheckpointAsync(new CheckpointOptions { Timeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Equal(SnapshotErrorCode.TimedOut, late.Code);
        Assert.Contains("worker-7", late.Message, StringComparison.Ordinal);
        Assert.Contains("solving", late.Message, StringComparison.Ordinal);
        go.Set();
        worker.Join();
        Assert.True((await session.CheckpointAsync()).PagesChanged >= 8);
    }

    [Fact]
    public async Task Waiting_for_ones_own_checkpoint_in_a_critical_section_or_a_handler_is_refused()
    {
        SnapshotException? inHandler = null;
        await using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small);
        CheckpointTicket? own = null;
        session.RegisterHandler("waits", CheckpointHandler.Create(
            _ => inHandler = Assert.Throws<SnapshotException>(() => own!.WaitCommittedInThread()), _ => { }));
        using Participant me = session.Attach("main");
        using (me.EnterCriticalSection())
        {
            own = session.RequestCheckpoint();
            SnapshotException inSection = Assert.Throws<SnapshotException>(() => own.WaitCapturedInThread());
            Assert.Equal(SnapshotErrorCode.SelfDeadlock, inSection.Code);
        }

        Assert.Equal(1, own.WaitCommittedInThread().Generation);
        Assert.Equal(SnapshotErrorCode.SelfDeadlock, inHandler?.Code);
    }

    [Fact]
    public void A_checkpoint_asked_for_in_a_critical_section_is_taken_before_its_exit_returns()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small);
        using Participant me = session.Attach("main");
        for (int round = 1; round <= 20; round++)
        {
            CheckpointTicket ticket;
            using (me.EnterCriticalSection())
            {
                using (me.EnterCriticalSection()) ticket = session.RequestCheckpoint();
            }

            Assert.Equal(round, me.LastAttempt?.Generation);
            ticket.WaitCommittedInThread();
        }
    }

    [Fact]
    public void The_exit_of_a_critical_section_does_not_wait_for_a_checkpoint_that_does_not_begin()
    {
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small);
        using Participant me = session.Attach("main");
        CheckpointTicket ticket;
        using (me.EnterCriticalSection()) ticket = session.RequestCheckpoint(cancellation: cancelled.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => ticket.WaitCommittedInThread());
        Assert.Null(me.LastAttempt);
        session.RequestCheckpoint().WaitCommittedInThread();
    }

    [Fact]
    public void A_checkpoint_in_line_behind_another_is_pending_when_that_has_ended()
    {
        using HeldDrain drain = new();
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        session.OpenArena("a", s_small);
        CheckpointTicket first = drain.Request(session), second;
        using Participant me = session.Attach("main");
        using (me.EnterCriticalSection())
            second = session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true });
        Assert.Null(me.LastAttempt);
        using (me.EnterCriticalSection())
        {
            drain.LetGo();
            ((IAsyncResult)first.Committed).AsyncWaitHandle.WaitOne();
        }

        Assert.Equal(2, me.LastAttempt?.Generation);
        second.WaitCommittedInThread();
    }

    [Fact]
    public async Task An_address_that_is_taken_is_named_and_nothing_stays_mapped()
    {
        nint at;
        await using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            at = session.OpenArena("a", s_small).BaseAddress;
            session.OpenArena("b", s_small);
            await session.CheckpointAsync();
        }

        using TemporaryStore other = new();
        await using (SnapshotSession inTheWay = SnapshotSession.Open(other.Path))
        {
            Assert.Equal(at, inTheWay.OpenArena("squatter", s_small).BaseAddress);
            SnapshotException taken =
                Assert.Throws<SnapshotException>(() => SnapshotSession.Open(_store.Path));
            Assert.Equal(SnapshotErrorCode.AddressTaken, taken.Code);
            Assert.Contains($"0x{at:x}", taken.Message, StringComparison.Ordinal);
            Assert.Contains("is there", taken.Message, StringComparison.Ordinal);
        }

        await using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Assert.Equal(2, restarted.Arenas.Count);
    }

    [Fact]
    public async Task A_damaged_generation_is_refused_and_an_older_one_is_taken_only_on_request()
    {
        await using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            ArenaArray<long> array = session.OpenArena("a", s_small).RootArray<long>("array", 4096);
            for (int round = 1; round <= 2; round++)
            {
                array.AsSpan().Fill(round);
                await session.CheckpointAsync();
            }
        }

        string newest = Directory.GetFiles(_store.Path, "*.snapshot").Order().Last();
        using (FileStream file = new(newest, FileMode.Open))
        {
            file.Position = 5000;
            int value = file.ReadByte();
            file.Position = 5000;
            file.WriteByte((byte)(value ^ 1));
        }

        SnapshotOptions eagerly = new() { Restart = new RestartOptions { Fill = RestartFill.Eager } };
        SnapshotException corrupt = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Open(_store.Path, eagerly));
        Assert.Equal(SnapshotErrorCode.Corrupt, corrupt.Code);
        Assert.Contains(Path.GetFileName(newest), corrupt.Message, StringComparison.Ordinal);

        await using SnapshotSession older = SnapshotSession.Restart(
            _store.Path,
            new SnapshotOptions
            {
                Restart =
                new RestartOptions { AllowOlderGeneration = true, Fill = RestartFill.Eager }
            });
        Assert.Equal(1, older.Restarted!.Generation);
        Assert.Equal(2, Assert.Single(older.Restarted.Skipped).Generation);
        ArenaArray<long> restored = older.OpenArena("a").RootArray<long>("array", 4096);
        Assert.False(restored.AsSpan().ContainsAnyExcept(1L));

        // A generation made now is newer than the damaged one and does not depend on it.
        restored.AsSpan().Fill(3);
        SnapshotInfo info = await older.CheckpointAsync();
        Assert.Equal(3, info.Generation);
        Assert.Equal(1, info.Parent);
    }

    [Fact]
    public void An_empty_store_a_missing_generation_and_a_fresh_start_over_generations_are_clear_errors()
    {
        SnapshotException empty =
            Assert.Throws<SnapshotException>(() => SnapshotSession.Restart(_store.Path));
        Assert.Equal(SnapshotErrorCode.NotFound, empty.Code);
        using (SnapshotSession session = SnapshotSession.Create(_store.Path))
        {
            session.OpenArena("a", s_small);
            session.RequestCheckpoint().WaitCommittedInThread();
            SnapshotException busy =
                Assert.Throws<SnapshotException>(() => SnapshotSession.Open(_store.Path));
            Assert.Equal(SnapshotErrorCode.StoreBusy, busy.Code);
        }

        SnapshotException missing = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Restart(
                _store.Path, new SnapshotOptions { Restart = new RestartOptions { Generation = 9 } }));
        Assert.Equal(SnapshotErrorCode.NotFound, missing.Code);
        SnapshotException notEmpty =
            Assert.Throws<SnapshotException>(() => SnapshotSession.Create(_store.Path));
        Assert.Equal(SnapshotErrorCode.StoreNotEmpty, notEmpty.Code);
    }

    private sealed class CancelWhenDraining : IProgress<SnapshotProgress>, IDisposable
    {
        private readonly CancellationTokenSource _source = new();

        internal CancellationToken Token => _source.Token;

        public void Dispose() => _source.Dispose();

        public void Report(SnapshotProgress value)
        {
            if (value.Stage == CheckpointStage.Draining) _source.Cancel();
        }
    }
}
