using System.Diagnostics;
using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// The real locks between fibers of several workers, plain participants and a handler, while checkpoints run;
/// what goes wrong is counted in the arena.
/// </summary>
public sealed class FiberStressTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 3;
    private const int FibersEach = 4;
    private const int Threads = 2;
    private const int StepsToBarrier = 32;

    private readonly FiberSession _session = new();

    private struct Shared
    {
        public ArenaMutex Mutex;
        public ArenaReaderWriterLock ReaderWriter;
        public ArenaSemaphore Semaphore;
        public ArenaEvent Token;
        public ArenaBarrier Barrier;
        public ArenaChannel<long> Channel;
        public ArenaMutex OfHandler;
        public int InMutex;
        public int Readers;
        public int Writers;
        public int InSemaphore;
        public int WithToken;
        public int Violations;
        public long Arrived;
        public long Done;
        public long Written;
        public long Read;
        public int Actors;

        /// <summary>Not zero: the actors are to end, after the same phase.</summary>
        public int IsEnding;
        public int LastPhase;
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Fibers_threads_and_a_handler_exclude_each_other_while_checkpoints_run()
    {
        ArenaPointer<Shared> shared = _session.Root<Shared>();
        Stopwatch clock = Stopwatch.StartNew();
        RegisterHandler(shared);
        Prepare(shared, Workers * FibersEach + Threads);
        Task all = Task.WhenAll(
        [
            .. StartWorkers(CancellationToken.None),
            .. Enumerable.Range(0, Threads).Select(thread => FiberSession.OnThread(
                () => RunThread(shared, $"thread {thread}", thread + 100))),
        ]);
        int generations = 0;
        while (!all.IsFaulted && (generations < 5 || clock.Elapsed < Soak.Time(0)))
        {
            _session.Checkpoint();
            generations++;
        }

        Volatile.Write(ref shared.Value.IsEnding, 1);
        FiberSession.Wait(all);
        AssertClean(shared);
        output.WriteLine($"{generations} generations, {shared.Value.LastPhase} phases");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Fibers_captured_anywhere_go_on_and_exclude_each_other(int seed)
    {
        Random random = new(seed);
        Stopwatch clock = Stopwatch.StartNew();
        RegisterHandler(_session.Root<Shared>());
        Prepare(_session.Root<Shared>(), Workers * FibersEach);
        int restarts = 0;
        for (; restarts < 6 || clock.Elapsed < Soak.Time(0); restarts++)
        {
            RunUntilCancelled(random);
            Assert.Equal(0, _session.Root<Shared>().Value.Violations);
            _session.Restart();
            RegisterHandler(_session.Root<Shared>());
        }

        Volatile.Write(ref _session.Root<Shared>().Value.IsEnding, 1);
        FiberSession.Wait(Task.WhenAll(StartWorkers(CancellationToken.None)));
        AssertClean(_session.Root<Shared>());
        output.WriteLine(
            $"seed {seed}: {restarts} restarts, {_session.Root<Shared>().Value.LastPhase} phases");
    }

    /// <summary>Runs all workers, takes some checkpoints, and gives the runs up.</summary>
    private void RunUntilCancelled(Random random)
    {
        using CancellationTokenSource source = new();
        Task[] tasks = [.. StartWorkers(source.Token)];
        int generations = random.Next(1, 3);
        for (int i = 0; i < generations; i++)
        {
            Thread.SpinWait(random.Next(1, 200_000));
            _session.Checkpoint();
        }

        source.Cancel();
        foreach (Task task in tasks)
            Assert.ThrowsAny<OperationCanceledException>(() => FiberSession.Wait(task));
    }

    private IEnumerable<Task> StartWorkers(CancellationToken cancellation)
    {
        ArenaPointer<Shared> shared = _session.Root<Shared>();
        for (int worker = 0; worker < Workers; worker++)
        {
            int number = worker;
            yield return _session.RunFibers(
                $"worker {number}", () => StartFibers(shared, number), cancellation);
        }
    }

    private void Prepare(ArenaPointer<Shared> shared, int actors)
    {
        ref Shared state = ref shared.Value;
        state.Semaphore.Initialize(2);
        state.Token.Initialize(ArenaEventMode.AutoReset, set: true);
        state.Barrier.Initialize(actors);
        state.Channel.Initialize(_session.Arena, 3);
        state.Actors = actors;
    }

    private void RegisterHandler(ArenaPointer<Shared> shared) => _session.Session.RegisterHandler(
        "holder", _session.Session.CreateHandler(_session.Arena, shared, static async (checkpoint, s) =>
        {
            await s.Value.Mutex.EnterAsync();
            s.Value.Violations += s.Value.InMutex++;
            await checkpoint;
            s.Value.InMutex--;
            s.Value.Mutex.Exit();
        }));

    private static void AssertClean(ArenaPointer<Shared> shared)
    {
        ref Shared state = ref shared.Value;
        Assert.Equal(0, state.Violations);
        Assert.Equal((long)state.Actors * state.LastPhase * StepsToBarrier, state.Done);
        Assert.Equal(
            (0, 0, 0, 0, 0),
            (state.InMutex, state.Readers, state.Writers, state.InSemaphore, state.WithToken));
        Assert.Equal(state.Written, state.Read);
        Assert.Equal(0, state.Channel.Count);
        Assert.Equal(2, state.Semaphore.Count);
        Assert.True(state.Token.IsSet);
    }

    private static void StartFibers(ArenaPointer<Shared> shared, int worker)
    {
        for (int fiber = 0; fiber < FibersEach; fiber++)
            Fiber.Start((shared, worker * FibersEach + fiber), static a => Act(a.shared, (uint)a.Item2));
        Fiber.Start(shared, WriteItems);
        Fiber.Start(shared, ReadItems);
    }

    private static async FiberTask Act(ArenaPointer<Shared> shared, uint number)
    {
        uint random = number * 7919 + 1;
        for (int step = 1; ; step++)
        {
            random = random * 1_664_525 + 1_013_904_223;
            await ActOnce(shared, (random >> 16) % 5, lingers: (random & 0x300) == 0);
            Interlocked.Increment(ref shared.Value.Done);
            if (step % StepsToBarrier != 0) continue;
            Arrive(ref shared.Value, step / StepsToBarrier);
            await shared.Value.Barrier.SignalAndWaitAsync();
            if (IsLast(ref shared.Value, step / StepsToBarrier)) return;
        }
    }

    private static async FiberTask ActOnce(ArenaPointer<Shared> shared, uint what, bool lingers)
    {
        switch (what)
        {
            case 0:
                await shared.Value.Mutex.EnterAsync();
                Enter(ref shared.Value.InMutex, 1, ref shared.Value);
                if (lingers) await Fiber.Yield();
                Leave(ref shared.Value.InMutex);
                shared.Value.Mutex.Exit();
                break;
            case 1:
                await shared.Value.ReaderWriter.EnterReadAsync();
                Enter(ref shared.Value.Readers, int.MaxValue, ref shared.Value);
                if (lingers) await Fiber.Yield();
                Leave(ref shared.Value.Readers);
                shared.Value.ReaderWriter.ExitRead();
                break;
            case 2:
                await shared.Value.ReaderWriter.EnterWriteAsync();
                Enter(ref shared.Value.Writers, 1, ref shared.Value);
                if (lingers) await Fiber.Yield();
                Leave(ref shared.Value.Writers);
                shared.Value.ReaderWriter.ExitWrite();
                break;
            case 3:
                await shared.Value.Semaphore.WaitAsync();
                Enter(ref shared.Value.InSemaphore, 2, ref shared.Value);
                if (lingers) await Fiber.Yield();
                Leave(ref shared.Value.InSemaphore);
                shared.Value.Semaphore.Release();
                break;
            default:
                await shared.Value.Token.WaitAsync();
                Enter(ref shared.Value.WithToken, 1, ref shared.Value);
                if (lingers) await Fiber.Yield();
                Leave(ref shared.Value.WithToken);
                shared.Value.Token.Set();
                break;
        }
    }

    private void RunThread(ArenaPointer<Shared> shared, string name, int seed)
    {
        using Participant me = _session.Session.Attach(name);
        Random random = new(seed);
        ref Shared state = ref shared.Value;
        for (int step = 1; ; step++)
        {
            ActOnThread(ref state, random.Next(5), me);
            Interlocked.Increment(ref state.Done);
            if (step % StepsToBarrier != 0) continue;
            Arrive(ref state, step / StepsToBarrier);
            state.Barrier.SignalAndWait();
            if (IsLast(ref state, step / StepsToBarrier)) return;
        }
    }

    private static void ActOnThread(ref Shared state, int what, Participant me)
    {
        switch (what)
        {
            case 0:
                state.Mutex.Enter();
                Enter(ref state.InMutex, 1, ref state);
                me.Poll();
                Leave(ref state.InMutex);
                state.Mutex.Exit();
                break;
            case 1:
                state.ReaderWriter.EnterRead();
                Enter(ref state.Readers, int.MaxValue, ref state);
                Leave(ref state.Readers);
                state.ReaderWriter.ExitRead();
                break;
            case 2:
                state.ReaderWriter.EnterWrite();
                Enter(ref state.Writers, 1, ref state);
                me.Poll();
                Leave(ref state.Writers);
                state.ReaderWriter.ExitWrite();
                break;
            case 3:
                state.Semaphore.Wait();
                Enter(ref state.InSemaphore, 2, ref state);
                Leave(ref state.InSemaphore);
                state.Semaphore.Release();
                break;
            default:
                state.Token.Wait();
                Enter(ref state.WithToken, 1, ref state);
                me.Poll();
                Leave(ref state.WithToken);
                state.Token.Set();
                break;
        }
    }

    private static void Enter(ref int inside, int most, ref Shared state)
    {
        if (Interlocked.Increment(ref inside) > most) Interlocked.Increment(ref state.Violations);
        bool isReader = System.Runtime.CompilerServices.Unsafe.AreSame(ref inside, ref state.Readers);
        bool isWriter = System.Runtime.CompilerServices.Unsafe.AreSame(ref inside, ref state.Writers);
        if ((isReader && Volatile.Read(ref state.Writers) != 0) ||
            (isWriter && Volatile.Read(ref state.Readers) != 0))
            Interlocked.Increment(ref state.Violations);
    }

    private static void Leave(ref int inside) => Interlocked.Decrement(ref inside);

    /// <summary>Before the barrier: the first to see that it is to end says after which phase.</summary>
    private static void Arrive(ref Shared state, int phase)
    {
        if (Volatile.Read(ref state.IsEnding) != 0)
            Interlocked.CompareExchange(ref state.LastPhase, phase + 1, 0);
        Interlocked.Increment(ref state.Arrived);
    }

    /// <summary>Behind the barrier, which is passed behind all: whether that was the last phase.</summary>
    private static bool IsLast(ref Shared state, int phase)
    {
        if (Volatile.Read(ref state.Arrived) < (long)state.Actors * phase)
            Interlocked.Increment(ref state.Violations);
        return Volatile.Read(ref state.LastPhase) is not 0 and int last && phase >= last;
    }

    /// <summary>As many end with a zero as there are who read up to one.</summary>
    private static async FiberTask WriteItems(ArenaPointer<Shared> shared)
    {
        for (int i = 1; Volatile.Read(ref shared.Value.IsEnding) == 0; i++)
        {
            Interlocked.Add(ref shared.Value.Written, i);
            await shared.Value.Channel.WriteAsync(i);
        }

        await shared.Value.Channel.WriteAsync(0);
    }

    private static async FiberTask ReadItems(ArenaPointer<Shared> shared)
    {
        for (int i = 1; ; i++)
        {
            if (i % 3 == 0) await shared.Value.Channel.WaitToReadAsync();
            long item = await shared.Value.Channel.ReadAsync();
            Interlocked.Add(ref shared.Value.Read, item);
            if (item == 0) return;
        }
    }
}
