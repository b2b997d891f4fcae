namespace Snapshot.TestPrograms;

/// <summary>
/// <see cref="FoundingScenario"/> with fibers on both sides. An async handler, which is one fiber method,
/// takes an arena lock before its <c>await checkpoint</c> and leaves it after it. An application fiber awaits
/// that lock meanwhile and is captured waiting; another one of the same worker counts.
/// </summary>
/// <remarks>
/// The lines and the two runs are those of <see cref="FoundingScenario"/>; the verb is
/// <c>founding-fibers</c>.
/// </remarks>
internal static class FiberFoundingScenario
{
    private struct Shared
    {
        public ArenaMutex Mutex;
        public ArenaEvent Locked;
        public ArenaEvent Wanting;
        public int ReleasedByHandler;
        public int EnteredTooEarly;
        public int Entered;
        public long Turns;
    }

    internal static int Run(string directory)
    {
        using SnapshotSession session = SnapshotSession.Open(directory);
        Arena arena = session.OpenArena("shared", new ArenaOptions { Capacity = 16 << 20 });
        ArenaPointer<Shared> shared = RootOf(arena);
        Say(session.IsRestarted
            ? $"restarted: mutex {(shared.Value.Mutex.IsHeld ? "held" : "free")}, entered " +
                $"{shared.Value.Entered}"
            : "fresh");
        Thread worker = new(() => session.RunFibers("worker", arena, () =>
        {
            Fiber.Start(shared, Want);
            Fiber.Start(shared, Count);
        }));
        long turns = shared.Value.Turns;
        worker.Start();
        if (session.IsRestarted)
        {
            // The worker's other fiber runs while the lock is still the handler's.
            while (Volatile.Read(ref shared.Value.Turns) < turns + 1000) Thread.Yield();
            Say($"other fiber: ran, entered {shared.Value.Entered}");
        }

        session.RegisterHandler("locker", session.CreateHandler(arena, shared, static (c, s) => Lock(c, s)));
        if (!session.IsRestarted)
        {
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Say($"committed {info.Generation}");
        }

        worker.Join();
        Say($"end: entered {shared.Value.Entered}, too early {shared.Value.EnteredTooEarly}");
        if (!session.IsRestarted) Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static async FiberTask Lock(PendingCheckpoint checkpoint, ArenaPointer<Shared> shared)
    {
        await shared.Value.Mutex.EnterAsync();
        Say("handler: locked, ready");
        shared.Value.Locked.Set();
        await shared.Value.Wanting.WaitAsync();
        FiberOutcome outcome = await checkpoint;
        Say($"handler: {outcome.Kind}, worker entered {shared.Value.Entered}");
        shared.Value.ReleasedByHandler = 1;
        shared.Value.Mutex.Exit();
    }

    private static async FiberTask Want(ArenaPointer<Shared> shared)
    {
        await shared.Value.Locked.WaitAsync();
        Say("worker: wants the lock");
        shared.Value.Wanting.Set();
        await shared.Value.Mutex.EnterAsync();
        if (shared.Value.ReleasedByHandler == 0) shared.Value.EnteredTooEarly++;
        shared.Value.Entered++;
        Say("worker: entered");
        shared.Value.Mutex.Exit();
    }

    private static async FiberTask Count(ArenaPointer<Shared> shared)
    {
        while (shared.Value.Entered == 0)
        {
            shared.Value.Turns++;
            await Fiber.Yield();
        }
    }

    private static unsafe ArenaPointer<Shared> RootOf(Arena arena) =>
        new(arena.RootPointer<Shared>("shared"));

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
