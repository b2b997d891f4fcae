using Snapshot.Tests.Memory;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>Workers in a session.</summary>
public sealed class RunFibersTests : IDisposable
{
    private readonly FiberSession _session = new();

    private struct State
    {
        public ArenaMutex Mutex;
        public ArenaEvent Go;
        public ArenaEvent Reached;
        public FiberHandle Handle;
        public int Count;
        public int Log;
        public CheckpointOutcomeKind Kind;
        public long Generation;
    }

    private ArenaPointer<State> S => _session.Root<State>();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void A_name_is_one_thread_and_is_run_once_also_after_a_restart()
    {
        Task first = _session.RunFibers("w", () => Fiber.Start(S, PassAndCount));
        AwaitReached();
        SnapshotException taken = Assert.Throws<SnapshotException>(
            () => FiberSession.Wait(_session.RunFibers("w", () => { })));
        Assert.Equal(SnapshotErrorCode.NameTaken, taken.Code);
        Go();
        FiberSession.Wait(first);
        FiberSession.Wait(
            _session.RunFibers("w", () => throw new InvalidOperationException("started twice")));
        _session.Checkpoint();
        _session.Restart();
        FiberSession.Wait(
            _session.RunFibers("w", () => throw new InvalidOperationException("started twice")));
        Assert.Equal(1, S.Value.Count);
    }

    [Fact]
    public void A_cancelled_run_goes_on_where_it_stood()
    {
        using CancellationTokenSource source = new();
        Task first = _session.RunFibers("w", () => Fiber.Start(S, PassAndCount), source.Token);
        AwaitReached();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => FiberSession.Wait(first));
        _session.Checkpoint();
        Task second = _session.RunFibers("w", () => throw new InvalidOperationException("started twice"));
        Go();
        FiberSession.Wait(second);
        Assert.Equal(1, S.Value.Count);
    }

    [Fact]
    public void What_the_start_delegate_throws_ends_the_call_and_checkpoints()
    {
        Assert.Throws<TimeoutException>(
            () => FiberSession.Wait(_session.RunFibers("w", () => throw new TimeoutException())));
        SnapshotException refused = Assert.Throws<SnapshotException>(() => _session.Checkpoint());
        Assert.Equal(SnapshotErrorCode.FiberFailed, refused.Code);
    }

    [Fact]
    public void A_fiber_that_fails_ends_its_worker_and_the_checkpoint_that_runs_and_later_ones()
    {
        // The second worker holds the checkpoint back until the first has failed.
        Task failing = _session.RunFibers("failing", () => Fiber.Start(S, static async s =>
        {
            using (await Fiber.CriticalSection())
            {
                s.Value.Reached.Set();
                await s.Value.Go.WaitAsync();
                throw new TimeoutException("no");
            }
        }));
        AwaitReached();
        Task<SnapshotInfo> running = _session.Session.CheckpointAsync();
        Go();
        SnapshotException failed = Assert.Throws<SnapshotException>(() => FiberSession.Wait(failing));
        Assert.Equal(SnapshotErrorCode.FiberFailed, failed.Code);
        Assert.IsType<TimeoutException>(failed.InnerException);
        SnapshotException ended = Assert.Throws<SnapshotException>(() => FiberSession.Wait(running));
        Assert.Equal(SnapshotErrorCode.FiberFailed, ended.Code);
        ended = Assert.Throws<SnapshotException>(() => _session.Checkpoint());
        Assert.Equal(SnapshotErrorCode.FiberFailed, ended.Code);
        failed = Assert.Throws<SnapshotException>(
            () => FiberSession.Wait(_session.RunFibers("failing", () => { })));
        Assert.Equal(SnapshotErrorCode.FiberFailed, failed.Code);
    }

    [Fact]
    public void A_fiber_is_joined_by_one_of_another_worker_across_a_restart()
    {
        using CancellationTokenSource source = new();
        Task first =
            _session.RunFibers("first", () => S.Value.Handle = Fiber.Start(S, PassAndCount), source.Token);
        AwaitReached();
        Task second = _session.RunFibers("second", () => Fiber.Start(S, Join), source.Token);
        _session.Checkpoint();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => FiberSession.Wait(first));
        Assert.ThrowsAny<OperationCanceledException>(() => FiberSession.Wait(second));
        _session.Restart();
        second = _session.RunFibers("second", () => Fiber.Start(S, Join));
        first = _session.RunFibers("first", () => { });
        Go();
        FiberSession.Wait(Task.WhenAll(first, second));
        Assert.Equal((1, 1), (S.Value.Count, S.Value.Log));
    }

    [Fact]
    public void Fibers_of_two_arenas_are_different_owners_of_a_lock()
    {
        Arena other =
            _session.Session.OpenArena("other", new ArenaOptions { Capacity = 64 * ArenaTesting.MiB });
        Task first = _session.RunFibers("first", () => Fiber.Start(S, static async s =>
        {
            await s.Value.Mutex.EnterAsync();
            s.Value.Reached.Set();
            await s.Value.Go.WaitAsync();
            s.Value.Log = s.Value.Count;
            s.Value.Mutex.Exit();
        }));
        AwaitReached();
        Task second = FiberSession.OnThread(
            () => _session.Session.RunFibers("second", other, () => Fiber.Start(S, EnterAndCount)));
        AwaitReached();
        _session.Checkpoint();
        Go();
        FiberSession.Wait(Task.WhenAll(first, second));
        Assert.Equal((1, 0), (S.Value.Count, S.Value.Log));
    }

    [Fact]
    public void A_fiber_that_awaits_a_commit_in_a_run_that_is_cancelled_is_told_of_it_when_it_goes_on()
    {
        using CancellationTokenSource source = new();
        using Holder holder = new(_session);
        Task first = _session.RunFibers("w", () => Fiber.Start(S, AwaitCommit), source.Token);
        Tickets.Session = _session.Session;
        AwaitReached();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => FiberSession.Wait(first));
        holder.Release();
        FiberSession.Wait(_session.RunFibers("w", () => { }));
        Assert.Equal((CheckpointOutcomeKind.Continued, 1), (S.Value.Kind, S.Value.Generation));
    }

    /// <summary>A participant in a critical section: checkpoints wait for it.</summary>
    private sealed class Holder : IDisposable
    {
        private readonly ManualResetEventSlim _release = new();
        private readonly Task _task;

        internal Holder(FiberSession session)
        {
            ManualResetEventSlim isInside = new();
            _task = FiberSession.OnThread(() =>
            {
                using Participant me = session.Session.Attach("holder");
                using (me.EnterCriticalSection())
                {
                    isInside.Set();
                    _release.Wait();
                }
            });
            isInside.Wait();
        }

        internal void Release() => _release.Set();

        public void Dispose()
        {
            Release();
            FiberSession.Wait(_task);
            _release.Dispose();
        }
    }

    private void AwaitReached() => FiberSession.Wait(FiberSession.OnThread(() =>
    {
        using Participant me = _session.Session.Attach("test");
        S.Value.Reached.Wait();
        S.Value.Reached.Reset();
    }));

    private void Go() => FiberSession.Wait(FiberSession.OnThread(() =>
    {
        using Participant me = _session.Session.Attach("test");
        S.Value.Go.Set();
    }));

    private static class Tickets
    {
        internal static SnapshotSession Session { get; set; } = null!;
    }

    private static async FiberTask AwaitCommit(ArenaPointer<State> state)
    {
        while (Tickets.Session is null) await Fiber.Yield();
        CheckpointTicket Request() => Tickets.Session.RequestCheckpoint();
        state.Value.Reached.Set();
        FiberOutcome outcome = await Request().WaitCommittedInFiber();
        state.Value.Kind = outcome.Kind;
        state.Value.Generation = outcome.Generation;
    }

    private static async FiberTask PassAndCount(ArenaPointer<State> state)
    {
        state.Value.Reached.Set();
        await state.Value.Go.WaitAsync();
        state.Value.Count++;
    }

    private static async FiberTask EnterAndCount(ArenaPointer<State> state)
    {
        state.Value.Reached.Set();
        await state.Value.Mutex.EnterAsync();
        state.Value.Count++;
        state.Value.Mutex.Exit();
    }

    private static async FiberTask Join(ArenaPointer<State> state)
    {
        await state.Value.Handle;
        state.Value.Log++;
    }
}
