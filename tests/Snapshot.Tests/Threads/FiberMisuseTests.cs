using System.Runtime.CompilerServices;
using Snapshot.Coordination;
using Snapshot.Tests.Session;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>What fiber code does wrong at run time is told in words, and never captured half done.</summary>
public sealed class FiberMisuseTests : IDisposable
{
    private const string Unawaited = "called a fiber method without awaiting it where it was called";

    /// <summary>What fibers cannot keep.</summary>
    private static Action? s_request;
    private static CheckpointTicket? s_ticket;

    private readonly TemporaryStore _store = new();
    private readonly SnapshotSession _session;
    private readonly Arena _arena;

    public FiberMisuseTests()
    {
        _session = SnapshotSession.Open(_store.Path);
        _arena = _session.OpenArena("fibers", new ArenaOptions { Capacity = 16 << 20 });
    }

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }

    private struct Probe
    {
        public ArenaMutex Mutex;
        public int Caught;
        public int Completed;
        public int Result;
    }

    [InlineArray(300_000)]
    private struct Large
    {
        private byte _first;
    }

    [InlineArray(600_000)]
    private struct TooLarge
    {
        private byte _first;
    }

    private ArenaPointer<Probe> Root
    {
        get
        {
            unsafe
            {
                return _arena.RootPointer<Probe>("probe");
            }
        }
    }

    [Fact]
    public void A_call_that_is_not_awaited() => AssertFails(Unawaited, static _ => Forget());

    [Fact]
    public void A_call_that_is_not_awaited_in_a_method_that_returns_at_once() =>
        AssertFails(Unawaited, static async _ =>
        {
            await ForgetAtOnce();
            await Fiber.Yield();
        });

    [Fact]
    public void A_call_that_is_not_awaited_though_the_caller_catches_everything()
    {
        AssertFails(Unawaited, static async probe =>
        {
            try
            {
                await Forget();
            }
            catch (InvalidOperationException)
            {
                probe.Value.Caught++;
            }

            await Fiber.Yield();
            await Fiber.Yield();
            probe.Value.Completed++;
        });
        Assert.Equal(0, Root.Value.Completed);
    }

    [Fact]
    public void A_call_that_is_stored_and_awaited_after_another() => AssertFails(Unawaited, static async _ =>
    {
        FiberTask stored = Suspends();
        await Fiber.Yield();
        await stored;
    });

    [Fact]
    public void Two_calls_at_once() => AssertFails(Unawaited, static async _ =>
    {
        FiberTask first = Suspends();
        FiberTask second = Suspends();
        await first;
        await second;
    });

    [Fact]
    public void Two_calls_at_once_though_every_exception_is_caught_where_it_arises()
    {
        AssertFails(Unawaited, static async probe =>
        {
            FiberTask first = Suspends();
            for (int i = 0; i < 3; i++)
            {
                try
                {
                    await Fiber.Yield();
                }
                catch (InvalidOperationException)
                {
                    probe.Value.Caught++;
                }
            }

            await first;
            probe.Value.Completed++;
        });
        Assert.NotEqual(0, Root.Value.Caught);
        Assert.Equal(0, Root.Value.Completed);
    }

    [Fact]
    public void A_call_that_waits_for_a_lock_and_is_not_awaited_leaves_nobody_in_the_line_of_the_lock()
    {
        AssertFails(Unawaited, static async probe =>
        {
            await probe.Value.Mutex.EnterAsync();
            FiberHandle other = Fiber.Start(probe, static p => ForgetLock(p));
            await other;
        });

        // Whoever leaves the lock now must find nobody waiting.
        _session.RunFibers(
            "after", _arena, () => Fiber.Start(Root, static p => EnterAndExit(p.Value.Result = 1)));
        Assert.Equal(1, Root.Value.Result);
    }

    [Fact]
    public void A_call_that_is_awaited_twice() => AssertFails(Unawaited, static async _ =>
    {
        FiberTask call = Suspends();
        await call;
        await call;
    });

    [Fact]
    public void A_result_that_is_taken_while_the_call_runs() => AssertFails(
        "took the result of a fiber method while it still ran",
        static async probe =>
        {
            FiberTask<int> call = SuspendsWithResult();
            try
            {
                probe.Value.Result = call.GetAwaiter().GetResult();
            }
            catch (InvalidOperationException)
            {
                probe.Value.Caught++;
            }

            await call;
        });

    [Fact]
    public void An_exception_that_leaves_a_call_beside_one_that_is_not_awaited_is_not_lost()
    {
        SnapshotException failed = AssertFails(Unawaited, static async probe =>
        {
            _ = Suspends();
            await FiberTask.Completed;
            throw new FormatException("thrown beside it");
        });
        Assert.Equal("thrown beside it", failed.InnerException!.InnerException!.Message);
    }

    [Fact]
    public void A_call_that_did_not_wait_may_be_awaited_twice()
    {
        Run(static async probe =>
        {
            FiberTask<int> call = Immediate(4);
            int once = await call;
            int again = await call;
            probe.Value.Result = once + again;
        });
        Assert.Equal(8, Root.Value.Result);
    }

    [Fact]
    public void A_call_whose_frame_finds_no_room_while_what_it_called_waits_says_that_the_arena_is_full()
    {
        // Room for the innermost frame and the next, and not for those of all the callers.
        const int BlockBytes = 256 << 10;
        List<nint> blocks = [];
        try
        {
            while (true) blocks.Add(Allocate(BlockBytes));
        }
        catch (SnapshotException full) when (full.Code == SnapshotErrorCode.ArenaFull)
        {
            foreach (nint block in blocks[^4..]) Free(block);
        }

        SnapshotException failed = AssertFails(
            "worker' failed: SnapshotException: ",
            static async probe =>
            {
                int result = await Fill(0);
                probe.Value.Result = result;
            });
        Assert.Equal(
            SnapshotErrorCode.ArenaFull, Assert.IsType<SnapshotException>(failed.InnerException).Code);
    }

    [Fact]
    public void A_result_that_is_too_large_for_a_frame() => AssertFails(
        "a result of 600000 bytes, more than 524264", static async _ => await Oversized());

    [Fact]
    public void An_exception_that_leaves_the_outermost_method()
    {
        SnapshotException failed = AssertFails("FormatException: not a number", static async _ =>
        {
            await Fiber.Yield();
            throw new FormatException("not a number");
        });
        Assert.IsType<FormatException>(failed.InnerException);
        Assert.StartsWith("fiber 1 of 'worker' failed: ", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_blocking_wait_for_a_lock()
    {
        Run(static async probe =>
        {
            await probe.Value.Mutex.EnterAsync();
            FiberHandle other = Fiber.Start(probe, static p => Block(p));
            await Fiber.Yield();
            probe.Value.Mutex.Exit();
            await other;
            await probe.Value.Mutex.EnterAsync();
            probe.Value.Mutex.Exit();
            probe.Value.Completed++;
        });
        Assert.Equal((1, 1), (Root.Value.Caught, Root.Value.Completed));
        Assert.False(Root.Value.Mutex.IsHeld);
        Assert.NotNull(_session.RequestCheckpoint().WaitCommittedInThread());
    }

    [Fact]
    public void A_start_that_does_not_make_one_call_leaves_nothing_behind()
    {
        Run(static async probe =>
        {
            foreach (Func<int, FiberTask> body in s_wrong)
                AssertRefused<Exception>("", () => Fiber.Start(1, body));
            Assert.True(Fiber.Start(1, static _ => FiberTask.Completed).HasEnded);
            probe.Value.Completed++;
            await Fiber.Yield();
        });
        Assert.Equal(1, Root.Value.Completed);
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_start_inside_the_delegate_of_a_start()
    {
        Run(static probe =>
        {
            _ = Fiber.Start(probe, static p => Count(p, 10));
            return Count(probe, 1);
        });
        Assert.Equal(11, Root.Value.Result);
        AssertNothingIsLeft();
    }

    [Fact]
    public void Outside_of_fibers_everything_says_so()
    {
        const string Outside = "the calling thread runs none";
        AssertRefused<InvalidOperationException>(Outside, static () => _ = Suspends());
        AssertRefused<InvalidOperationException>(Outside, static () => _ = Fiber.Current);
        AssertRefused<InvalidOperationException>(
            Outside, static () => Fiber.Start(1, static _ => Suspends()));
        AssertRefused<InvalidOperationException>(
            Outside, static () => _ = Fiber.Delay(TimeSpan.FromSeconds(1)));
        AssertRefused<InvalidOperationException>(Outside, static () => Fiber.OpenGroup());
        AssertRefused<InvalidOperationException>(Outside, () => _ = Root.Value.Mutex.EnterAsync());
        AssertRefused<InvalidOperationException>(Outside, static () => _ = Fiber.CriticalSection());
        Assert.True(Immediate(1).GetAwaiter().IsCompleted);
    }

    [Fact]
    public void A_fiber_is_not_captured_between_two_awaits_by_what_is_for_threads()
    {
        s_request = () => s_ticket = _session.RequestCheckpoint();
        Run(static probe => UseWhatIsForThreads(probe));
        Assert.Equal((1, 1), (Root.Value.Completed, Root.Value.Result));
    }

    [Fact]
    public void In_the_delegate_that_starts_the_first_ones_no_fiber_executes()
    {
        _session.RunFibers("worker", _arena, () =>
        {
            AssertRefused<InvalidOperationException>(
                "No fiber executes here", static () => _ = Fiber.Current);
            AssertRefused<InvalidOperationException>("runs none", static () => _ = Suspends());
            AssertRefused<InvalidOperationException>(
                "runs none", static () => _ = Fiber.Delay(TimeSpan.MaxValue));
            AssertRefused<InvalidOperationException>("runs none", static () => _ = Fiber.CriticalSection());
        });
        Assert.NotNull(_session.RequestCheckpoint().WaitCommittedInThread());
    }

    [Fact]
    public void What_ordinary_async_methods_call_of_an_awaiter_says_that_it_is_for_fibers()
    {
        // The runtime ends the process with what this throws: no method of a fiber, no task to put it into.
        INotifyCompletion[] awaiters = [Fiber.Yield().GetAwaiter(), Immediate(1).GetAwaiter()];
        Assert.All(awaiters, awaiter => AssertRefused<InvalidOperationException>(
            "This awaitable is for fiber methods", () => awaiter.OnCompleted(static () => { })));
    }

    private static readonly Func<int, FiberTask>[] s_wrong =
    [
        static unused =>
        {
            _ = Suspends();
            return FiberTask.Completed;
        },
        static unused =>
        {
            _ = Suspends();
            throw new InvalidOperationException("after the call");
        },
        static _ => throw new InvalidOperationException("before the call"),
        static _ => RefusedByFiber(),
    ];

    private static FiberTask RefusedByFiber() => throw new InvalidOperationException("no call");

    private static async FiberTask Suspends() => await Fiber.Yield();

    private static async FiberTask<int> SuspendsWithResult()
    {
        await Fiber.Yield();
        return 5;
    }

#pragma warning disable CS1998 // No await: that is what it is about.
    private static async FiberTask<int> Immediate(int value) => value;

    private static async FiberTask ForgetAtOnce() => _ = Suspends();
#pragma warning restore CS1998

    private static async FiberTask Forget()
    {
        await Fiber.Yield();
        _ = Suspends();
    }

    private static async FiberTask ForgetLock(ArenaPointer<Probe> probe)
    {
        await Fiber.Safepoint();
        _ = probe.Value.Mutex.EnterAsync();
    }

    private static async FiberTask EnterAndExit(int _) => await Fiber.Yield();

    private static async FiberTask Block(ArenaPointer<Probe> probe)
    {
        try
        {
            probe.Value.Mutex.Enter();
        }
        catch (InvalidOperationException error)
            when (error.Message.Contains("would block its thread", StringComparison.Ordinal))
        {
            probe.Value.Caught++;
        }

        await Fiber.Yield();
    }

    /// <summary>Notes whether a checkpoint was taken at the poll, and at the await.</summary>
    private static async FiberTask UseWhatIsForThreads(ArenaPointer<Probe> probe)
    {
        await Fiber.Yield();
        PollWhileStopping(probe);
        while (!s_ticket!.Captured.IsCompleted) await Fiber.Safepoint();
        probe.Value.Result = Participant.Current!.LastAttempt is null ? 0 : 1;
    }

    private static void PollWhileStopping(ArenaPointer<Probe> probe)
    {
        Participant me = Participant.Current!;
        AssertRefused<InvalidOperationException>("Fiber.CriticalSection", () => me.EnterCriticalSection());
        AssertRefused<InvalidOperationException>(
            "Fiber.CriticalSection", () => me.TryEnterCriticalSection(out _));
        AssertRefused<InvalidOperationException>("Fiber.External", () => me.EnterBlockedRegion());
        s_request!();
        while (me.Rendezvous.Phase != Phase.Sync) me.Poll();
        me.Poll();
        probe.Value.Completed = me.LastAttempt is null ? 1 : 0;
    }

    private static async FiberTask Count(ArenaPointer<Probe> probe, int by)
    {
        await Fiber.Yield();
        probe.Value.Result += by;
    }

    private static async FiberTask<int> Fill(int depth)
    {
        Large block = default;
        block[depth] = 1;
        if (depth == 5) await Fiber.Yield();
        else await Fill(depth + 1);
        return block[depth];
    }

    private static async FiberTask<TooLarge> Oversized()
    {
        await Fiber.Yield();
        return default;
    }

    private static void AssertRefused<TException>(string words, Action call)
        where TException : Exception =>
        Assert.Contains(words, Assert.ThrowsAny<TException>(call).Message, StringComparison.Ordinal);

    private unsafe nint Allocate(int bytes) => (nint)_arena.Allocate(bytes);

    private unsafe void Free(nint block) => _arena.Free((void*)block);

    private void Run(Func<ArenaPointer<Probe>, FiberTask> body) =>
        _session.RunFibers("worker", _arena, () => Fiber.Start(Root, body));

    /// <summary>The fiber's worker ends with FiberFailed, and nothing of it is captured.</summary>
    private SnapshotException AssertFails(string words, Func<ArenaPointer<Probe>, FiberTask> body)
    {
        SnapshotException failed = Assert.Throws<SnapshotException>(() => Run(body));
        Assert.Equal(SnapshotErrorCode.FiberFailed, failed.Code);
        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        SnapshotException refused =
            Assert.Throws<SnapshotException>(() => _session.RequestCheckpoint().WaitCommittedInThread());
        Assert.Equal(SnapshotErrorCode.FiberFailed, refused.Code);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        return failed;
    }

    private unsafe void AssertNothingIsLeft() => Assert.Equal(
        0, _arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName)->FirstWorker->Pool.LiveCells);
}
