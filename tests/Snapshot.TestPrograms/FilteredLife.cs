namespace Snapshot.TestPrograms;

/// <summary>
/// A session from its first checkpoint to its second restart, for processes in which some system calls are
/// forbidden: arenas of every way of capture, a thread that is captured while it waits for an arena lock, a
/// restart that goes on.
/// </summary>
internal static unsafe class FilteredLife
{
    private const int RoundsOfALife = 3;
    private const int Lives = 3;
    private static readonly ArenaOptions s_staged =
        new() { Capacity = 64L << 20, Capture = CaptureMode.Stage };

    internal static int Run(string store, RestartFill fill)
    {
        for (int life = 0; life < Lives; life++) Live(store, fill);
        return 0;
    }

    private static void Live(string store, RestartFill fill)
    {
        using SnapshotSession session =
            SnapshotSession.Open(store, new SnapshotOptions { Restart = new RestartOptions { Fill = fill } });
        Arena arena =
            session.OpenArena("state", new ArenaOptions { Capacity = 64L << 20, HugePages = false });
        State* state = arena.RootPointer<State>("state");
        ArenaArray<long> staged = session.OpenArena("staged", s_staged).RootArray<long>("cells", 1 << 20);
        long last = staged[staged.Length - 1], generation = session.Restarted?.Generation ?? 0;
        Console.Write($"generation {generation}, rounds {state->First}, staged {last}\n");
        if (!session.IsRestarted) state->Barrier.Initialize(2);

        // It waits at the barrier while the other takes the checkpoint, which captures it there.
        Thread waiting = new(() => Work(session, "waiting", &state->Barrier, &state->Second, () => { }));
        waiting.Start();
        Work(session, "asking", &state->Barrier, &state->First, () =>
        {
            staged.AsSpan().Fill(state->First + 1);
            Console.Write($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}\n");
        });
        waiting.Join();
    }

    private static void Work(
        SnapshotSession session, string name, ArenaBarrier* barrier, long* rounds, Action each)
    {
        using Participant me = session.Attach(name);
        for (long end = (*rounds / RoundsOfALife + 1) * RoundsOfALife; *rounds < end; ++*rounds)
        {
            each();
            barrier->SignalAndWait();
        }
    }

    internal struct State
    {
        internal ArenaBarrier Barrier;
        internal long First;
        internal long Second;
    }
}
