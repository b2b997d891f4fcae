using System.Runtime.CompilerServices;

namespace Snapshot.FiberProgram;

/// <summary>
/// What the fibers share: the root of the arena. What is counted here is right in every image, or is
/// found to be wrong at the end.
/// </summary>
internal struct State
{
    internal const int Workers = 4;
    internal const int FibersPerWorker = 3;
    internal const int Fibers = Workers * FibersPerWorker;
    internal const int Pairs = Fibers / 2;
    internal const int ChildrenPerFiber = 3;
    internal const int Handlers = 3;
    internal const int SemaphoreCount = 2;

    internal long Steps;

    /// <summary>The processes that went on from an image.</summary>
    internal long Restarts;

    internal ArenaMutex Mutex;
    internal int InMutex;
    internal long Entered;
    internal long Sum;

    internal ArenaReaderWriterLock ReaderWriter;
    internal int Readers;
    internal int Writers;
    internal long Left;
    internal long Right;

    internal ArenaSemaphore Semaphore;
    internal int InSemaphore;

    internal ArenaBarrier Barrier;
    internal long BarrierLasts;

    /// <summary>Held by a handler from its prepare to its resume part.</summary>
    internal ArenaMutex LogLock;
    internal int InLog;

    internal int InCritical;

    internal ArenaChannel<long> Shared;
    internal long SharedSum;

    internal ArenaArray<Pair> PairStates;
    internal ArenaArray<FiberState> FiberStates;
    internal ArenaArray<HandlerState> HandlerStates;

    internal long Finallys;
    internal long InnerFinallys;
    internal long Faults;

    /// <summary>The first thing that was found wrong; 0: nothing.</summary>
    internal long FirstFault;

    internal readonly ref FiberState Of(int fiber) => ref FiberStates[fiber];

    /// <summary>A claim that must hold; which one did not is printed at the end.</summary>
    internal void Require(bool holds, int claim)
    {
        if (holds) return;
        Interlocked.Increment(ref Faults);
        Interlocked.CompareExchange(ref FirstFault, claim, 0);
    }

    internal static unsafe ArenaPointer<State> PointerTo(ref State state) =>
        new((State*)Unsafe.AsPointer(ref state));
}

/// <summary>Two fibers of different workers that take turns.</summary>
internal struct Pair
{
    internal ArenaEvent Ping;
    internal ArenaEvent Pong;
    internal ArenaChannel<long> Ordered;
    internal ArenaChannel<FiberHandle> Handles;
}

/// <summary>Of one fiber.</summary>
internal struct FiberState
{
    internal long Result;
    internal long Step;
    internal ArenaArray<long> ChildResults;
    internal long Joined;
}

/// <summary>Of one handler.</summary>
internal struct HandlerState
{
    internal long Prepared;
    internal long Continued;
    internal long Restarted;
    internal long Aborted;
}
