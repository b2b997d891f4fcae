using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>Groups, joins, delays, sections and steady state, on one thread.</summary>
public sealed class FiberTests : IDisposable
{
    private readonly FiberBench _bench = new();

    private struct State
    {
        public ArenaMutex Mutex;
        public ArenaSemaphore Semaphore;
        public ArenaChannel<long> Channel;
        public ArenaEvent Event;
        public FiberGroup Group;
        public long Log;
        public long Count;
        public long Allocated;
    }

    private struct Answer : IExternalSection<int>
    {
        internal static readonly List<(int Number, TaskCompletionSource<int> Source)> Begun = [];

        public int Number;

        public readonly Task<int> RunAsync(CancellationToken cancellation)
        {
            if (Number < 0) throw new InvalidOperationException("cannot begin");
            TaskCompletionSource<int> source = new();
            cancellation.Register(() => source.TrySetCanceled());
            Begun.Add((Number, source));
            return source.Task;
        }
    }

    private ArenaPointer<State> S => _bench.Root<State>();

    public void Dispose()
    {
        Answer.Begun.Clear();
        _bench.Dispose();
    }

    [Fact]
    public void A_group_waits_for_all_and_tells_each_end_once()
    {
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            using FiberGroup group = Fiber.OpenGroup();
            s.Value.Group = group;
            for (int i = 1; i <= 5; i++) _ = group.Start((s, i), static a => AddAfter(a.s, a.i));
            _ = group.Start(s, StartMore);
            while (await group.WhenAny()) s.Value.Count++;
            await group.WhenAll();
        }));
        Assert.Equal((7, 115), (S.Value.Count, S.Value.Log));
    }

    [Fact]
    public void All_who_wait_for_a_group_go_on_when_it_is_empty()
    {
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            using FiberGroup group = Fiber.OpenGroup();
            using FiberGroup waiters = Fiber.OpenGroup();
            _ = group.Start((s, 3), static a => AddAfter(a.s, a.Item2));
            s.Value.Group = group;
            for (int i = 0; i < 3; i++) _ = waiters.Start(s, AwaitGroup);
            await waiters.WhenAll();
        }));
        Assert.Equal(33, S.Value.Log);
    }

    [Fact]
    public void A_group_with_live_fibers_cannot_be_given_up()
    {
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => _bench.Run(() => Fiber.Start(S, Forgets)));
        Assert.Equal(SnapshotErrorCode.FiberFailed, error.Code);
        Assert.Contains("await WhenAll", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_handle_tells_the_end_of_its_fiber_also_when_its_record_is_reused()
    {
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            FiberHandle first = Fiber.Start((s, 1), static a => AddAfter(a.s, a.Item2));
            if (first.HasEnded) s.Value.Count = -1;
            await first;
            FiberHandle second = Fiber.Start((s, 2), static a => AddAfter(a.s, a.Item2));
            if (!first.HasEnded || second.HasEnded || first.Id != second.Id) s.Value.Count = -2;
            await first;
            await second;
            await default(FiberHandle);
            if (Fiber.Current.HasEnded || !second.HasEnded) s.Value.Count = -3;
        }));
        Assert.Equal((0, 3), (S.Value.Count, S.Value.Log));
    }

    [Fact]
    public void Delays_end_in_the_order_of_their_times_and_zero_is_a_yield()
    {
        _bench.Run(() =>
        {
            foreach (int time in (int[])[5, 3, 9, 1, 0])
                Fiber.Start((S, time), static a => LogAfter(a.S, a.time));
        });
        Assert.Equal(1359, S.Value.Log);
        Assert.Equal(9_000_000_000, _bench.Host.Slept.Sum());
    }

    [Fact]
    public void A_delay_goes_on_with_what_was_left_after_a_restart()
    {
        _bench.Host.WhenIdle.Enqueue(() => _bench.Host.Clock += 4_000_000_000);
        _bench.RunUntilIdle(() => Fiber.Start((S, 10), static a => LogAfter(a.S, a.Item2)));
        _bench.Restart();
        _bench.Host.Clock += 1_000_000_000_000_000;
        _bench.Host.Slept.Clear();
        _bench.Run(() => { });
        Assert.Equal(6_000_000_000, _bench.Host.Slept.Sum());
    }

    [Fact]
    public void A_critical_section_holds_the_host_until_the_outermost_of_all_fibers_is_left()
    {
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            Assert.Equal(2, _bench.Host.CriticalDepth);
            S.Value.Event.Set();
        });
        _bench.Run(() =>
        {
            for (int i = 0; i < 2; i++)
                Fiber.Start(S, static async s =>
                {
                    try
                    {
                        using (await Fiber.CriticalSection())
                        {
                            using (await Fiber.CriticalSection()) await s.Value.Event.WaitAsync();
                            await Fiber.Yield();
                            throw new InvalidOperationException();
                        }
                    }
                    catch (InvalidOperationException)
                    {
                        s.Value.Count++;
                    }
                });
        });
        Assert.Equal((0, 2), (_bench.Host.CriticalDepth, S.Value.Count));
    }

    [Fact]
    public void A_copy_of_a_section_that_was_left_closes_no_other_of_the_fiber()
    {
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            Assert.Equal(1, _bench.Host.CriticalDepth);
            S.Value.Event.Set();
        });
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            using (await Fiber.CriticalSection())
            {
                FiberCriticalSection inner = await Fiber.CriticalSection();
                FiberCriticalSection copy = inner;
                inner.Dispose();
                s.Value.Count += IsRefused(copy);
                using (await Fiber.CriticalSection()) s.Value.Count += IsRefused(copy);
                await s.Value.Event.WaitAsync();
            }

            s.Value.Count += IsRefused(default);
        }));
        Assert.Equal((0, 3), (_bench.Host.CriticalDepth, S.Value.Count));

        static int IsRefused(FiberCriticalSection section)
        {
            try
            {
                section.Dispose();
                return 0;
            }
            catch (InvalidOperationException)
            {
                return 1;
            }
        }
    }

    [Fact]
    public void A_critical_section_is_not_entered_while_a_checkpoint_is_pending()
    {
        _bench.Host.IsPending = true;
        for (int i = 0; i < 2; i++)
            _bench.Host.WhenIdle.Enqueue(() => Assert.Equal(0, _bench.Host.CriticalDepth));
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            _bench.Host.IsPending = false;
            _bench.Host.Clock += 1_000_000;
        });
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            using (await Fiber.CriticalSection()) s.Value.Count++;
        }));
        Assert.Equal(1, S.Value.Count);
    }

    [Fact]
    public void Sections_give_results_and_exceptions_many_at_once_while_others_go_on()
    {
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            Assert.Equal(20, Answer.Begun.Count);
            foreach ((int number, TaskCompletionSource<int> source) in Enumerable.Reverse(Answer.Begun))
            {
                if (number % 5 == 0) source.SetException(new TimeoutException());
                else source.SetResult(number);
            }
        });
        _bench.Run(() =>
        {
            for (int i = -1; i < 20; i++) Fiber.Start((S, i), static a => Ask(a.S, a.i));
        });
        Assert.Equal((190 - 30, 5), (S.Value.Log, S.Value.Count));
        Assert.Equal(0, _bench.Space.Tasks.Count);
    }

    [Fact]
    public void A_section_is_cancelled_when_its_run_ends_and_begun_again_in_a_new_process()
    {
        _bench.RunUntilIdle(() => Fiber.Start((S, 1), static a => Ask(a.S, a.Item2)));
        Assert.True(Answer.Begun[0].Source.Task.IsCanceled);
        _bench.Restart();
        _bench.Host.WhenIdle.Enqueue(() => Answer.Begun[1].Source.SetResult(4));
        _bench.Run(() => { });
        Assert.Equal(4, S.Value.Log);
    }

    [Fact]
    public void A_section_that_holds_checkpoints_is_in_a_critical_section()
    {
        _bench.Host.WhenIdle.Enqueue(() =>
        {
            Assert.Equal(1, _bench.Host.CriticalDepth);
            Answer.Begun[0].Source.SetResult(6);
        });
        _bench.Run(() => Fiber.Start(S, static async s =>
        {
            int answer = await Fiber.External<Answer, int>(default, ExternalMode.HoldCheckpoints);
            s.Value.Log = answer;
        }));
        Assert.Equal((0, 6), (_bench.Host.CriticalDepth, S.Value.Log));
    }

    [Fact]
    public void Nothing_is_allocated_in_the_steady_state()
    {
        S.Value.Channel.Initialize(_bench.Arena, 1);
        _bench.Run(() =>
        {
            Fiber.Start(S, Loop);
            Fiber.Start(S, Echo);
        });
        Assert.Equal(0, S.Value.Allocated);
    }

    [Fact]
    public void All_memory_goes_back_to_the_arena_but_records()
    {
        _bench.Run(() => Fiber.Start(S, Tree));
        long before = _bench.Arena.AllocatedBytes;
        for (int i = 0; i < 3; i++) _bench.Run(() => Fiber.Start(S, Tree), $"again {i}");
        Assert.InRange(_bench.Arena.AllocatedBytes - before, 0, 16 << 10);
    }

    private static async FiberTask Forgets(ArenaPointer<State> state)
    {
        using FiberGroup group = Fiber.OpenGroup();
        _ = group.Start((state, 3), static a => AddAfter(a.state, a.Item2));
        await Fiber.Yield();
    }

    private static async FiberTask Tree(ArenaPointer<State> state)
    {
        using FiberGroup group = Fiber.OpenGroup();
        for (int i = 0; i < 500; i++) _ = group.Start((state, i % 7), static a => AddAfter(a.state, a.Item2));
        await group.WhenAll();
        state.Value.Log = 0;
    }

    private static async FiberTask Loop(ArenaPointer<State> state)
    {
        for (int round = 0; round < 2; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 2000; i++)
            {
                await Fiber.Safepoint();
                await Fiber.Yield();
                await AddAfter(state, 1);
                await state.Value.Mutex.EnterAsync();
                await Fiber.Yield();
                state.Value.Mutex.Exit();
                await state.Value.Channel.WriteAsync(i);
                state.Value.Semaphore.Release();
                if (i % 100 == 0) await Fiber.Delay(TimeSpan.FromSeconds(1));
            }

            state.Value.Allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static async FiberTask Echo(ArenaPointer<State> state)
    {
        for (int i = 0; i < 4000; i++)
        {
            long item = await state.Value.Channel.ReadAsync();
            await state.Value.Mutex.EnterAsync();
            state.Value.Count += item;
            state.Value.Mutex.Exit();
            await state.Value.Semaphore.WaitAsync();
        }
    }

    private static async FiberTask Ask(ArenaPointer<State> state, int number)
    {
        try
        {
            int answer = await Fiber.External<Answer, int>(new Answer { Number = number });
            state.Value.Log += answer;
        }
        catch (TimeoutException)
        {
            state.Value.Count++;
        }
        catch (InvalidOperationException)
        {
            state.Value.Count++;
        }
    }

    private static async FiberTask AddAfter(ArenaPointer<State> state, int number)
    {
        for (int i = 0; i < number; i++) await Fiber.Yield();
        state.Value.Log += number;
    }

    private static async FiberTask LogAfter(ArenaPointer<State> state, int seconds)
    {
        await Fiber.Delay(TimeSpan.FromSeconds(seconds));
        state.Value.Log = state.Value.Log * 10 + seconds;
    }

    private static async FiberTask StartMore(ArenaPointer<State> state)
    {
        await Fiber.Yield();
        _ = state.Value.Group.Start((state, 100), static a => AddAfter(a.state, a.Item2));
    }

    private static async FiberTask AwaitGroup(ArenaPointer<State> state)
    {
        await state.Value.Group.WhenAll();
        state.Value.Log += 10;
    }
}
