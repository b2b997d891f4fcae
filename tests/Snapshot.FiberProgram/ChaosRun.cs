using System.Diagnostics;

namespace Snapshot.FiberProgram;

/// <summary>One process of the work that is killed: begins it or goes on, to the end and its proof.</summary>
internal sealed class ChaosRun(Options options) : IDisposable
{
    private const int HangSeconds = 60;

    private readonly Random _random = new((int)options.Number("--seed", 1));
    private readonly CancellationTokenSource _ended = new();
    private SnapshotSession _session = null!;
    private Arena _arena = null!;
    private ArenaPointer<State> _state;
    private bool _syncIsInImage;

    public void Dispose() => _ended.Dispose();

    internal int Execute()
    {
        using SnapshotSession session = SnapshotSession.Open(
            options.Store,
            new SnapshotOptions
            {
                Store =
                new StoreOptions { Retention = new RetentionPolicy { KeepLast = 3 } }
            });
        _session = session;
        _arena = session.OpenArena("state");
        ref State state = ref _arena.Root<State>("state");
        _state = State.PointerTo(ref state);
        if (session.IsRestarted) GoOn(ref state);
        else Begin(ref state);
        Console.WriteLine(
            $"from generation {session.Restarted?.Generation ?? 0}, {state.Finallys} of " +
            $"{State.Fibers * state.Steps}");

        session.RegisterHandler("log", session.CreateHandler(_arena, _state, Handlers.Log));
        session.RegisterHandler("audit", session.CreateHandler(_arena, _state, Handlers.Audit));
        RunThreads();
        return Verdict.Print(session, _arena, ref state, options.Has("--cancel") ? null : _syncIsInImage);
    }

    private void Begin(ref State state)
    {
        state.Steps = options.Number("--steps", 60);
        state.Semaphore.Initialize(State.SemaphoreCount);
        state.Barrier.Initialize(State.Fibers);
        state.Shared.Initialize(_arena, 4);
        state.PairStates = _arena.Allocate<Pair>(State.Pairs);
        state.FiberStates = _arena.Allocate<FiberState>(State.Fibers);
        state.HandlerStates = _arena.Allocate<HandlerState>(State.Handlers);
        foreach (ref Pair pair in state.PairStates.AsSpan())
        {
            pair.Ping.Initialize(ArenaEventMode.AutoReset);
            pair.Pong.Initialize(ArenaEventMode.AutoReset);
            pair.Ordered.Initialize(_arena, 3);
            pair.Handles.Initialize(_arena, 1);
        }

        foreach (ref FiberState fiber in state.FiberStates.AsSpan())
            fiber.ChildResults = _arena.Allocate<long>(State.ChildrenPerFiber);
    }

    private void GoOn(ref State state)
    {
        state.Restarts++;
        state.Require(state.InCritical == 0, 60);
        state.Require(state.InLog == 0, 61);
        _syncIsInImage = Verdict.IsStarted(_arena, "w0");
    }

    private void RunThreads()
    {
        Thread checkpoints = Start("checkpoints", TakeCheckpoints);
        Thread? collector = options.Has("--gc") ? Start("collector", Collect) : null;
        Thread watch = Start("watch", Watch);
        Thread[] workers = [.. Enumerable.Range(0, State.Workers).Select(worker =>
        {
            Random random = new(_random.Next());
            return Start($"worker {worker}", () => Work(worker, random));
        })];
        foreach (Thread worker in workers) worker.Join();
        _ended.Cancel();
        checkpoints.Join();
        collector?.Join();
        watch.Join();
        _session.RequestCheckpoint(new CheckpointOptions { WaitIfBusy = true }).WaitCommittedInThread();
    }

    private static Thread Start(string name, Action body)
    {
        Thread thread = new(() => body()) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Work(int worker, Random random)
    {
        // Sooner or later: the others run on without this one, and images are taken that have it as it was.
        if (random.Next(3) == 0) Thread.Sleep(random.Next(30));
        while (!TryRun(worker, random))
        {
        }
    }

    private bool TryRun(int worker, Random random)
    {
        using CancellationTokenSource cancellation = new();
        if (options.Has("--cancel")) cancellation.CancelAfter(random.Next(1, 40));
        ParticipantOptions? with = worker != 0 ? null : new ParticipantOptions
        {
            Handlers = [("sync", _session.CreateHandler(_arena, _state, Handlers.Sync))],
        };
        try
        {
            _session.RunFibers($"w{worker}", _arena, () => StartFibers(worker), with, cancellation.Token);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private void StartFibers(int worker)
    {
        for (int place = 0; place < State.FibersPerWorker; place++)
        {
            int fiber = worker * State.FibersPerWorker + place;
            Fiber.Start((_state, fiber), static a => FiberProgram.Work.Run(a._state, a.fiber));
        }
    }

    private void TakeCheckpoints()
    {
        int interval = (int)options.Number("--interval", 10);
        while (!_ended.IsCancellationRequested)
        {
            SnapshotInfo taken = _session.RequestCheckpoint().Committed.GetAwaiter().GetResult();
            Console.WriteLine($"generation {taken.Generation}");
            _ended.Token.WaitHandle.WaitOne(_random.Next(2 * interval + 1));
        }
    }

    /// <summary>
    /// Moves every object that can be moved, again and again. With a breath between: without one the next
    /// collection stops the other threads before the system has scheduled them, and on an idle machine nobody
    /// ever goes on.
    /// </summary>
    private void Collect()
    {
        while (!_ended.Token.WaitHandle.WaitOne(1))
        {
            object[] garbage = [.. Enumerable.Range(0, 100).Select(i => (object)new byte[i])];
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.KeepAlive(garbage);
        }
    }

    /// <summary>Ends the process with a description when nothing goes on any more.</summary>
    private void Watch()
    {
        long seen = -1;
        long since = Stopwatch.GetTimestamp();
        while (!_ended.Token.WaitHandle.WaitOne(500))
        {
            long now = Volatile.Read(ref _state.Value.Finallys);
            if (now != seen)
            {
                (seen, since) = (now, Stopwatch.GetTimestamp());
                continue;
            }

            if (Stopwatch.GetElapsedTime(since).TotalSeconds < HangSeconds) continue;
            Console.Error.WriteLine(Verdict.Describe(_arena, ref _state.Value));
            Environment.FailFast("The fibers hang.");
        }
    }
}
