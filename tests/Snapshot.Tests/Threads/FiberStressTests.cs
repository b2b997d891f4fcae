using System.Diagnostics;
using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// The real locks between fibers of several workers, plain participants and a handler, while checkpoints run; what goes
/// wrong is counted in the arena.
/// </summary>
public sealed class FiberStressTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 3;
    private const int FibersEach = 4;
    private const int Threads = 2;
    private const int StepsToBarrier = 64;
    private const int Steps = 4 * StepsToBarrier;

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
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Fibers_threads_and_a_handler_exclude_each_other_while_checkpoints_run()
    {
        ArenaPointer<Shared> shared = _session.Root<Shared>();
        Stopwatch clock = Stopwatch.StartNew();
        RegisterHandler(shared);
        int round = 0;
        int generations = 0;
        do
        {
            Prepare(shared, Workers * FibersEach + Threads);
            string name = $"{round++}";
            Task[] tasks =
            [
                .. Enumerable.Range(0, Workers).Select(worker => _session.RunFibers(
                    $"{name} {worker}", () => StartFibers(shared, worker))),
                .. Enumerable.Range(0, Threads).Select(thread => _session.OnThread(
                    () => RunThread(shared, $"{name} thread {thread}", thread + 100))),
            ];
            Task all = Task.WhenAll(tasks);
            while (!all.IsCompleted)
            {
                _session.Checkpoint();
                generations++;
            }

            FiberSession.Wait(all);
            AssertClean(shared);
            Assert.Equal((Workers * FibersEach + Threads) * (long)Steps, shared.Value.Done);
        }
        while (clock.Elapsed < Soak.Time(0));
        output.WriteLine($"{round} rounds, {generations} generations");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Fibers_captured_anywhere_go_on_and_exclude_each_other(int seed)
    {
        Random random = new(seed);
        Stopwatch clock = Stopwatch.StartNew();
        RegisterHandler(_session.Root<Shared>());
        int restarts = 0;
        for (int round = 0; round == 0 || clock.Elapsed < Soak.Time(0); round++)
        {
            Prepare(_session.Root<Shared>(), Workers * FibersEach);
            bool areOver;
            do
            {
                areOver = RunUntilCancelled(round, random);
                AssertExcluded(_session.Root<Shared>());
                if (areOver) break;
                _session.Restart();
                RegisterHandler(_session.Root<Shared>());
                restarts++;
            }
            while (true);

            AssertClean(_session.Root<Shared>());
            Assert.Equal(Workers * FibersEach * (long)Steps, _session.Root<Shared>().Value.Done);
        }

        output.WriteLine($"seed {seed}: {restarts} restarts");
    }

    /// <summary>Runs all workers, takes some checkpoints, and gives the runs up.</summary>
    /// <returns>Whether all fibers had ended before.</returns>
    private bool RunUntilCancelled(int round, Random random)
    {
        ArenaPointer<Shared> shared = _session.Root<Shared>();
        using CancellationTokenSource source = new();
        Task[] tasks = [.. Enumerable.Range(0, Workers).Select(worker => _session.RunFibers(
            $"{round} {worker}", () => StartFibers(shared, worker), source.Token))];
        int generations = random.Next(1, 4);
        for (int i = 0; i < generations; i++)
        {
            Thread.SpinWait(random.Next(1, 200_000));
            _session.Checkpoint();
        }

        if (random.Next(8) == 0) FiberSession.Wait(Task.WhenAll(tasks));
        source.Cancel();
        bool areOver = true;
        foreach (Task task in tasks)
        {
            try
            {
                FiberSession.Wait(task);
            }
            catch (OperationCanceledException)
            {
                areOver = false;
            }
        }

        return areOver;
    }

    private void Prepare(ArenaPointer<Shared> shared, int actors)
    {
        ref Shared state = ref shared.Value;
        state.Semaphore.Initialize(2);
        state.Token.Initialize(ArenaEventMode.AutoReset, set: true);
        state.Barrier.Initialize(actors);
        if (state.Channel.Capacity == 0) state.Channel.Initialize(_session.Arena, 3);
        state.Arrived = state.Done = state.Written = state.Read = 0;
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

    private static void AssertExcluded(ArenaPointer<Shared> shared) => Assert.Equal(0, shared.Value.Violations);

    private static void AssertClean(ArenaPointer<Shared> shared)
    {
        AssertExcluded(shared);
        ref Shared state = ref shared.Value;
        Assert.Equal((0, 0, 0, 0, 0), (state.InMutex, state.Readers, state.Writers, state.InSemaphore, state.WithToken));
        Assert.Equal(state.Written, state.Read);
        Assert.Equal(0, state.Channel.Count);
        Assert.Equal(2, state.Semaphore.Count);
        Assert.True(state.Token.IsSet);
    }

    private static void StartFibers(ArenaPointer<Shared> shared, int worker)
    {
        for (int fiber = 0; fiber < FibersEach; fiber++)
            Fiber.Start((shared, worker * FibersEach + fiber), static a => Act(a.shared, (uint)a.Item2));
        Fiber.Start(shared, static s => WriteItems(s, 200));
        Fiber.Start(shared, static s => ReadItems(s, 200));
    }

    private static async FiberTask Act(ArenaPointer<Shared> shared, uint number)
    {
        uint random = number * 7919 + 1;
        for (int step = 1; step <= Steps; step++)
        {
            random = random * 1_664_525 + 1_013_904_223;
            bool lingers = (random & 0x300) == 0;
            switch ((random >> 16) % 5)
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
                    if (lingers) await Fiber.Safepoint();
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

            Interlocked.Increment(ref shared.Value.Done);
            if (step % StepsToBarrier != 0) continue;
            Interlocked.Increment(ref shared.Value.Arrived);
            await shared.Value.Barrier.SignalAndWaitAsync();
            CheckArrived(ref shared.Value, step);
        }
    }

    private void RunThread(ArenaPointer<Shared> shared, string name, int seed)
    {
        using Participant me = _session.Session.Attach(name);
        Random random = new(seed);
        ref Shared state = ref shared.Value;
        for (int step = 1; step <= Steps; step++)
        {
            ActOnThread(ref state, random.Next(5), me);
            Interlocked.Increment(ref state.Done);
            if (step % StepsToBarrier != 0) continue;
            Interlocked.Increment(ref state.Arrived);
            state.Barrier.SignalAndWait();
            CheckArrived(ref state, step);
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
        if ((isReader && Volatile.Read(ref state.Writers) != 0) || (isWriter && Volatile.Read(ref state.Readers) != 0))
            Interlocked.Increment(ref state.Violations);
    }

    private static void Leave(ref int inside) => Interlocked.Decrement(ref inside);

    /// <summary>Whoever passes the barrier passes it behind all.</summary>
    private static void CheckArrived(ref Shared state, int step)
    {
        if (Volatile.Read(ref state.Arrived) < (long)state.Actors * (step / StepsToBarrier))
            Interlocked.Increment(ref state.Violations);
    }

    private static async FiberTask WriteItems(ArenaPointer<Shared> shared, int count)
    {
        for (int i = 1; i <= count; i++)
        {
            await shared.Value.Channel.WriteAsync(i);
            Interlocked.Add(ref shared.Value.Written, i);
        }
    }

    private static async FiberTask ReadItems(ArenaPointer<Shared> shared, int count)
    {
        for (int i = 1; i <= count; i++)
        {
            if (i % 3 == 0) await shared.Value.Channel.WaitToReadAsync();
            long item = await shared.Value.Channel.ReadAsync();
            Interlocked.Add(ref shared.Value.Read, item);
        }
    }
}
