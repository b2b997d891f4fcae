namespace Snapshot.TestPrograms;

/// <summary>
/// The scenario the handler model was made for. While a worker computes, an async handler takes an arena lock
/// and is ready; the worker then blocks on that lock; the checkpoint completes with it blocked. After it, in
/// this process or in the next, the handler's resume part gives the lock back, and only then the worker
/// enters.
/// </summary>
/// <remarks>
/// Prints one line per event. <c>founding STORE</c> takes the checkpoint, lets the worker enter (Continue),
/// then waits to be killed. <c>founding STORE</c> on a store with a generation is the other outcome
/// (Restart).
/// </remarks>
internal static class FoundingScenario
{
    private struct Shared
    {
        public ArenaMutex Mutex;
        public int ReleasedByHandler;
        public int EnteredTooEarly;
        public int Entered;
    }

    internal static unsafe int Run(string directory)
    {
        using SnapshotSession session = SnapshotSession.Open(directory);
        Shared* shared = session.OpenArena("shared", new ArenaOptions { Capacity = 16 << 20 })
            .RootPointer<Shared>("shared");
        using ManualResetEventSlim locked = new(), wanting = new();
        Say(session.IsRestarted
            ? $"restarted: mutex {(shared->Mutex.IsHeld ? "held" : "free")}, entered {shared->Entered}"
            : "fresh");

        Thread worker = new(() => Work(session, shared, locked, wanting));
        if (session.IsRestarted)
        {
            // The worker starts first, so that it comes to the lock while the handler still holds it.
            worker.Start();
            wanting.Wait();
        }

        session.RegisterHandler("locker", CheckpointHandler.Create(
            _ =>
            {
                shared->Mutex.Enter();
                Say("handler: locked, ready");
                locked.Set();
            },
            outcome =>
            {
                Say($"handler: {outcome.Kind}, worker entered {shared->Entered}");
                shared->ReleasedByHandler = 1;
                shared->Mutex.Exit();
            }));
        if (!session.IsRestarted)
        {
            worker.Start();
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Say($"committed {info.Generation}");
        }

        worker.Join();
        Say($"end: entered {shared->Entered}, too early {shared->EnteredTooEarly}");
        if (!session.IsRestarted) Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static unsafe void Work(
        SnapshotSession session, Shared* shared, ManualResetEventSlim locked, ManualResetEventSlim wanting)
    {
        using Participant me = session.Attach("worker");

        // In the first process it computes until the handler has the lock, and only then wants it: it polls
        // no more before that.
        if (!session.IsRestarted) locked.Wait();
        Say("worker: wants the lock");
        wanting.Set();
        shared->Mutex.Enter();
        if (shared->ReleasedByHandler == 0) shared->EnteredTooEarly++;
        shared->Entered++;
        Say("worker: entered");
        shared->Mutex.Exit();
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
