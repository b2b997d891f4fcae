using System.Runtime.CompilerServices;
using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>Waits while a word in an arena has a value; may return early for any reason.</summary>
/// <remarks>
/// What the slow paths of locks, joins and channels loop on, as threads do on a futex. Its result is whether the wait
/// ended before its deadline. After a restart it returns at once, and the loop looks again.
/// </remarks>
internal readonly unsafe struct WordWait(uint* word, uint expected, Craving craving, long deadline) : IFiberAwaiter
{
    internal const long NoDeadline = -1;

    /// <param name="word">In an arena.</param>
    /// <param name="expected">The value.</param>
    /// <param name="craving">Not None when the fiber was passed over before.</param>
    internal static WordWait While(ref uint word, uint expected, Craving craving = Craving.None) =>
        new(LockWord.AddressOf(ref word), expected, craving, NoDeadline);

    internal static WordWait Until(long deadline) => new(null, 0, Craving.None, deadline);

    public WordWait GetAwaiter() => this;

    public bool IsCompleted => word != null && Volatile.Read(ref *word) != expected;

    /// <summary>False when the time has passed.</summary>
    public bool GetResult() => FiberScheduler.OfThread.Running->IsTimedOut == 0;

    void IFiberAwaiter.Suspend(FiberFrame* frame) =>
        FiberScheduler.OfThread.SuspendForWord(frame, word, expected, craving, deadline);
}

/// <summary>Waits for a task of this process.</summary>
/// <remarks>Its result is false when the process is another one: there is no such task.</remarks>
internal readonly unsafe struct ExternalWait : IFiberAwaiter
{
    private readonly int _incarnation;
    private readonly int _number;

    internal ExternalWait(Task task)
    {
        _incarnation = FiberScheduler.OfThread.Space.Incarnation;
        _number = FiberScheduler.OfThread.Waits.External.Add(task);
    }

    /// <summary>The generation that this process was restarted from; 0 when it was not.</summary>
    internal static long RestartedGeneration => FiberScheduler.OfThread.Space.RestartedGeneration;

    /// <summary>The task, which has ended; it is forgotten here.</summary>
    internal Task Take() => FiberScheduler.OfThread.Waits.External.Take(_number);

    public ExternalWait GetAwaiter() => this;

    public bool IsCompleted => FiberScheduler.OfThread.Waits.External.IsCompleted(_number);

    public bool GetResult() => FiberScheduler.OfThread.Space.Incarnation == _incarnation;

    void IFiberAwaiter.Suspend(FiberFrame* frame)
    {
        FiberScheduler scheduler = FiberScheduler.OfThread;
        scheduler.Waits.External.Watch(_number, scheduler.SuspendForExternal(frame));
    }
}

/// <summary>Awaited to be where the fiber may be stopped.</summary>
public readonly struct SafepointAwaiter : IFiberAwaiter
{
    /// <summary>For the compiler.</summary>
    public SafepointAwaiter GetAwaiter() => this;

    /// <summary>For the compiler.</summary>
    public bool IsCompleted
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => StopSignal.IsQuiet || !FiberScheduler.OfThread.IsStopPending;
    }

    /// <summary>For the compiler.</summary>
    public void GetResult()
    {
    }

    unsafe void IFiberAwaiter.Suspend(FiberFrame* frame) => FiberScheduler.OfThread.SuspendAtSafepoint(frame);
}

/// <summary>Awaited to let the other fibers of the worker go on.</summary>
public readonly struct YieldAwaiter : IFiberAwaiter
{
    /// <summary>For the compiler.</summary>
    public YieldAwaiter GetAwaiter() => this;

    /// <summary>For the compiler.</summary>
    public bool IsCompleted => false;

    /// <summary>For the compiler.</summary>
    public void GetResult()
    {
    }

    unsafe void IFiberAwaiter.Suspend(FiberFrame* frame) => FiberScheduler.OfThread.SuspendToYield(frame);
}
