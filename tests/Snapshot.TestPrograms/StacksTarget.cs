using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Snapshot.Coordination;

namespace Snapshot.TestPrograms;

/// <summary>
/// A session whose participants stand in known places: one waits for an arena mutex, one is in a blocked
/// region, one in application code. Prints "ready" when all do, and ends when its input does.
/// </summary>
internal static unsafe class StacksTarget
{
    private static readonly ManualResetEventSlim s_end = new();
    private static readonly CountdownEvent s_inPlace = new(3);
    private static ArenaMutex* s_mutex;

    internal static int Run()
    {
        s_mutex = (ArenaMutex*)NativeMemory.AllocZeroed((nuint)sizeof(ArenaMutex));
        Coordinator coordinator = new();
        Thread[] threads =
        [
            Start(coordinator, "computing", Compute),
            Start(coordinator, "reading", Read),
            Start(coordinator, "locking", Enter),
        ];
        s_inPlace.Wait();

        // The last to report goes on into its wait; nothing it can do later looks different from outside.
        while (!IsWaiting(coordinator)) Thread.Yield();
        Console.WriteLine("ready");
        Console.In.ReadToEnd();
        s_end.Set();
        foreach (Thread thread in threads) thread.Join();
        coordinator.Dispose();
        return 0;
    }

    private static bool IsWaiting(Coordinator coordinator) =>
        coordinator.Table.ToArray().Any(participant => participant.Status == ParticipantStatus.Waiting);

    private static Thread Start(Coordinator coordinator, string name, Action<Participant> work)
    {
        Thread thread = new(() =>
        {
            using Participant participant = coordinator.Attach(name);
            work(participant);
        })
        {
            Name = $"{name} thread",
        };
        thread.Start();
        return thread;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Compute(Participant participant)
    {
        participant.Activity = "sweep 12";
        s_mutex->Enter();
        s_inPlace.Signal();
        s_end.Wait();
        s_mutex->Exit();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Read(Participant participant)
    {
        using (participant.EnterBlockedRegion("the input file"))
        {
            s_inPlace.Signal();
            s_end.Wait();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Enter(Participant participant)
    {
        while (!s_mutex->IsHeld) Thread.Yield();
        s_inPlace.Signal();
        s_mutex->Enter();
        s_mutex->Exit();
    }
}
