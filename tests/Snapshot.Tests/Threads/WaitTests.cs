using Snapshot.Memory.Locks;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>How fibers wait and are woken, step by step on one thread.</summary>
public sealed class WaitTests : IDisposable
{
    private readonly FiberBench _bench = new();

    private struct State
    {
        public ArenaMutex Mutex;
        public ArenaReaderWriterLock ReaderWriter;
        public ArenaSemaphore Semaphore;
        public ArenaEvent Event;
        public ArenaChannel<int> Channel;
        public FiberHandle Other;
        public int Entered;
        public int Log;
    }

    private struct Section : IExternalSection<int>
    {
        internal static readonly List<TaskCompletionSource<int>> Begun = [];

        public readonly Task<int> RunAsync(CancellationToken cancellation)
        {
            Begun.Add(new TaskCompletionSource<int>());
            return Begun[^1].Task;
        }
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_fiber_that_was_passed_over_is_handed_the_mutex_before_one_that_came_later()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        Queue<Action> script = _bench.Host.WhenIdle;
        script.Enqueue(() =>
        {
            // The first waits. It is woken, but before it looks the mutex is taken again, and a second one
            // comes.
            state.Value.Mutex.Exit();
            state.Value.Mutex.Enter();
            Fiber.Start(state, static s => EnterAndLog(s, 2));
        });
        script.Enqueue(() => state.Value.Mutex.Exit());
        _bench.Run(() =>
        {
            state.Value.Mutex.Enter();
            Fiber.Start(state, static s => EnterAndLog(s, 1));
        });
        Assert.Equal(12, state.Value.Log);
    }

    [Fact]
    public void A_fiber_is_woken_in_vain_once_at_most()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        Queue<Action> script = _bench.Host.WhenIdle;
        script.Enqueue(() =>
        {
            state.Value.Mutex.Exit();
            state.Value.Mutex.Enter();
            Fiber.Start(state, static s => EnterAndLog(s, 2));
        });
        script.Enqueue(() =>
        {
            state.Value.Mutex.Exit();
            Assert.True(state.Value.Mutex.IsHeld);
            Assert.False(state.Value.Mutex.TryEnter());
        });
        _bench.Run(() =>
        {
            state.Value.Mutex.Enter();
            Fiber.Start(state, static s => EnterAndLog(s, 1));
        });
        Assert.Equal(2, state.Value.Entered);
    }

    [Fact]
    public void A_fiber_that_reads_lets_a_waiting_writer_go_first_for_a_millisecond_at_most()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        _bench.Host.WhenIdle.Enqueue(() => Fiber.Start(state, ReadAndLog));
        Assert.Throws<StuckException>(() => _bench.Run(() =>
        {
            state.Value.ReaderWriter.EnterRead();
            Fiber.Start(state, WriteAndLog);
        }));
        Assert.Equal(1, state.Value.Log);
        Assert.Equal([1_000_000], _bench.Host.Slept);
    }

    [Fact]
    public void A_fiber_that_waits_for_an_item_and_leaves_it_wakes_one_that_reads()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        state.Value.Channel.Initialize(_bench.Arena, 4);
        _bench.Host.WhenIdle.Enqueue(() => state.Value.Channel.TryWrite(5));
        _bench.Run(() =>
        {
            Fiber.Start(state, static async s => { await s.Value.Channel.WaitToReadAsync(); });
            Fiber.Start(state, ReadItem);
        });
        Assert.Equal(5, state.Value.Log);
    }

    [Fact]
    public void A_fiber_of_another_worker_is_joined_although_its_worker_has_returned()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        _bench.RunUntilIdle(() => state.Value.Other = Fiber.Start(state, PassAndLog), "other");
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            state.Value.Event.Set();
            _bench.Run(() => { }, "other");

            // Whoever gets the memory of that worker overwrites it.
            for (int i = 0; i < 64; i++) Overwrite(64 << 10);
        });
        _bench.Run(() => Fiber.Start(state, static async s =>
        {
            await s.Value.Other;
            s.Value.Entered = s.Value.Log;
        }));
        Assert.Equal(1, state.Value.Entered);
    }

    [Fact]
    public async Task A_worker_that_ends_waits_for_wakes_that_are_on_their_way()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        FiberScheduler scheduler = new(_bench.Space, "w", _bench.Host);
        nint heir = RunUntilPassedOver(scheduler, state);
        using ManualResetEventSlim isEnding = new();
        Task ending = Task.Run(() =>
        {
            isEnding.Set();
            scheduler.Dispose();
        });
        isEnding.Wait();
        Thread.SpinWait(1_000_000);
        Deliver(heir);
        await ending;
        Assert.Equal(FiberStatus.Ready, StatusOf(heir));
    }

    [Fact]
    public void A_wake_for_a_fiber_of_a_worker_that_was_cancelled_is_passed_on()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        FiberScheduler other = new(_bench.Space, "other", _bench.Host);
        _bench.Host.WhenIdle.Enqueue(() => throw new OperationCanceledException());
        using (FiberTurn turn = other.Enter())
        {
            state.Value.Mutex.Enter();
            Fiber.Start(state, static s => EnterAndLog(s, 1));
            Assert.Throws<OperationCanceledException>(() => other.RunToEnd(default));
        }

        // The first to wait is one whose worker then ends, with the wake that was for it.
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            state.Value.Mutex.Exit();
            other.Dispose();
        });
        _bench.Run(() => Fiber.Start(state, static s => EnterAndLog(s, 2)));
        Assert.Equal(2, state.Value.Log);
    }

    [Fact]
    public void What_is_left_of_a_delay_when_a_run_is_cancelled_is_left_when_it_goes_on()
    {
        _bench.Host.Clock = 5_000_000_000;
        _bench.Run(() => Fiber.Start(0, static async _ => await Fiber.Delay(TimeSpan.FromSeconds(100))), "a");
        ArenaPointer<State> state = _bench.Root<State>();
        _bench.Host.WhenIdle.Enqueue(() => _bench.Host.Clock += 3_000_000_000);
        _bench.RunUntilIdle(() => Fiber.Start(state, Delays), "b");
        _bench.Host.Clock += 50_000_000_000;
        _bench.Host.Slept.Clear();
        _bench.Run(() => { }, "b");
        Assert.Equal(7_000_000_000, _bench.Host.Slept.Sum());
    }

    [Fact]
    public void What_is_left_of_a_delay_of_a_handlers_fiber_at_the_capture_is_left_after_the_restart()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        RunHandlerAcrossRestart(state);
        Assert.Equal(10_000_000_000, _bench.Host.Slept.Sum());
    }

    [Fact]
    public void A_section_whose_run_was_cancelled_is_begun_again()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        Section.Begun.Clear();
        _bench.RunUntilIdle(() => Fiber.Start(state, AwaitSection));
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            Section.Begun[0].SetResult(1);
            Section.Begun[1].SetResult(2);
        });
        _bench.Run(() => { });
        Assert.Equal(2, state.Value.Log);
        Assert.Equal(2, Section.Begun.Count);
    }

    [Fact]
    public void A_run_is_not_cancelled_while_a_fiber_is_in_a_critical_section()
    {
        ArenaPointer<State> state = _bench.Root<State>();
        using CancellationTokenSource source = new();
        _bench.Host.WhenIdle.Enqueue(source.Cancel);
        _bench.Host.WhenIdle.Enqueue(() => state.Value.Event.Set());
        Assert.Throws<OperationCanceledException>(() => _bench.Run(
            () => Fiber.Start(state, static async s =>
            {
                using (await Fiber.CriticalSection()) await s.Value.Event.WaitAsync();
                await s.Value.Semaphore.WaitAsync();
            }),
            cancellation: source.Token));
        Assert.Equal(0, _bench.Host.CriticalDepth);
        _bench.Host.WhenIdle.Enqueue(() => state.Value.Semaphore.Release());
        _bench.Run(() => { });
        Assert.Equal(0, _bench.Host.CriticalDepth);
    }

    private unsafe void Overwrite(int bytes) => new Span<byte>(_bench.Arena.Allocate(bytes), bytes).Clear();

    /// <summary>A fiber was passed over and is taken out of the table, by a waker that is slow.</summary>
    private unsafe nint RunUntilPassedOver(FiberScheduler scheduler, ArenaPointer<State> state)
    {
        using FiberTurn turn = scheduler.Enter();
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            state.Value.Mutex.Exit();
            state.Value.Mutex.Enter();
        });
        state.Value.Mutex.Enter();
        Fiber.Start(state, static s => EnterAndLog(s, 1));
        Assert.Throws<StuckException>(() => scheduler.RunToEnd(default));
        using WaitTable.Queue queue = WaitTable.Hold(LockWord.AddressOf(ref state.Value.Mutex.Word));
        return (nint)queue.TakeHeirs(1, out _);
    }

    private unsafe void RunHandlerAcrossRestart(ArenaPointer<State> state)
    {
        using FiberScheduler scheduler = new(_bench.Space, "h", _bench.Host);
        using FiberTurn turn = scheduler.Enter();
        _bench.Host.Clock += 1_000_000_000_000;
        Fiber.Start(state, Delays);
        FiberRecord* fiber = scheduler.Start(0, AwaitCapture);
        scheduler.RunToCheckpoint(fiber);
        _bench.Restart();
        _bench.Host.Clock += 9_000_000_000_000;
        using FiberScheduler again = new(_bench.Space, "h", _bench.Host);
        using FiberTurn second = again.Enter();
        again.RunFromCheckpoint(default);
    }

    private static unsafe void Deliver(nint heir) => WaitTable.Deliver((WaitNode*)heir);

    private static unsafe FiberStatus StatusOf(nint heir) => ((FiberRecord*)heir)->Status;

    private static async FiberTask EnterAndLog(ArenaPointer<State> state, int number)
    {
        await state.Value.Mutex.EnterAsync();
        state.Value.Log = state.Value.Log * 10 + number;
        state.Value.Entered++;
        state.Value.Mutex.Exit();
    }

    private static async FiberTask ReadAndLog(ArenaPointer<State> state)
    {
        await state.Value.ReaderWriter.EnterReadAsync();
        state.Value.Log++;
        state.Value.ReaderWriter.ExitRead();
    }

    private static async FiberTask WriteAndLog(ArenaPointer<State> state)
    {
        await state.Value.ReaderWriter.EnterWriteAsync();
        state.Value.Log += 100;
        state.Value.ReaderWriter.ExitWrite();
    }

    private static async FiberTask ReadItem(ArenaPointer<State> state)
    {
        int item = await state.Value.Channel.ReadAsync();
        state.Value.Log = item;
    }

    private static async FiberTask PassAndLog(ArenaPointer<State> state)
    {
        await state.Value.Event.WaitAsync();
        state.Value.Log++;
    }

    private static async FiberTask AwaitSection(ArenaPointer<State> state)
    {
        int result = await Fiber.External<Section, int>(default);
        state.Value.Log = result;
    }

    private static async FiberTask AwaitCapture(int unused) => await new PendingCheckpoint(1);

    private static async FiberTask Delays(ArenaPointer<State> state)
    {
        await Fiber.Delay(TimeSpan.FromSeconds(10));
        state.Value.Log++;
    }
}
