using Snapshot.Tests.Memory;
using Snapshot.Threads.Fibers;

namespace Snapshot.Tests.Threads;

/// <summary>
/// An arena with fibers and no session: workers run on the test's thread, as a script says.
/// </summary>
internal sealed unsafe class FiberBench : IDisposable
{
    internal FiberBench() => Space = new FiberSpace(Arena, restartedGeneration: 0);

    internal Arena Arena { get; } = ArenaTesting.Make();

    internal FiberSpace Space { get; private set; }

    internal ScriptedHost Host { get; } = new();

    internal ArenaPointer<T> Root<T>() where T : unmanaged => new(Arena.RootPointer<T>("state"));

    /// <summary>Runs a worker whose fibers are to end; the start delegate is for its first run.</summary>
    internal void Run(Action start, string name = "worker", CancellationToken cancellation = default)
    {
        using FiberScheduler scheduler = new(Space, name, Host);
        using FiberTurn turn = scheduler.Enter();
        if (scheduler.State == WorkerState.New) start();
        scheduler.RunToEnd(cancellation);
    }

    /// <summary>Runs a worker until it has nothing to run; its fibers stand where they stood.</summary>
    internal void RunUntilIdle(Action start, string name = "worker")
    {
        using CancellationTokenSource source = new();
        Host.WhenIdle.Enqueue(source.Cancel);
        try
        {
            Run(start, name, source.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Opens the fibers as a new process does that finds the arena as it is.</summary>
    internal void Restart() => Space = new FiberSpace(Arena, restartedGeneration: 1);

    public void Dispose()
    {
        Host.Dispose();
        Arena.Close();
    }
}
