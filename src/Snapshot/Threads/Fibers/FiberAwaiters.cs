using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>Waits while a word in an arena has a value; may return early for any reason.</summary>
/// <remarks>
/// What the slow paths of locks, joins and channels loop on, as threads do on a futex. Its result is whether
/// the wait ended before its deadline. After a restart it returns at once, and the loop looks again.
/// </remarks>
internal readonly unsafe struct WordWait(uint* word, uint expected, Craving craving, long deadline)
    : IFiberAwaiter
{
    internal const long NoDeadline = -1;

    /// <param name="word">In an arena.</param>
    /// <param name="expected">The value.</param>
    /// <param name="craving">Not None when the fiber was passed over before.</param>
    internal static WordWait While(ref uint word, uint expected, Craving craving = Craving.None) =>
        new(LockWord.AddressOf(ref word), expected, craving, NoDeadline);

    /// <summary>The same for a time at most.</summary>
    internal static WordWait AtMost(long nanoseconds, ref uint word, uint expected) =>
        new(LockWord.AddressOf(ref word), expected, Craving.None, FiberScheduler.OfThread.Waits.Now +
            nanoseconds);

    internal static WordWait Until(long deadline) => new(null, 0, Craving.None, deadline);

    public WordWait GetAwaiter() => this;

    public bool IsCompleted => word != null && Volatile.Read(ref *word) != expected;

    /// <summary>False when the time has passed.</summary>
    public bool GetResult() => FiberScheduler.OfThread.Running->IsTimedOut == 0;

    void IFiberAwaiter.Suspend(FiberFrame* frame) =>
        FiberScheduler.OfThread.SuspendForWord(frame, word, expected, craving, deadline);
}

/// <summary>Waits for a task of this process.</summary>
/// <remarks>
/// In a new process there is no such task, and the wait is over. A run that was cancelled leaves the wait
/// early when it goes on: who has begun the task for its run alone begins it again, others wait again.
/// </remarks>
internal readonly unsafe struct ExternalWait : IFiberAwaiter
{
    private readonly int _incarnation;
    private readonly int _number;
    private readonly int _run;

    internal ExternalWait(Task task)
    {
        FiberScheduler scheduler = FiberScheduler.OfThread;
        _incarnation = scheduler.Space.Incarnation;
        _number = scheduler.Space.Tasks.Add(task);
        _run = scheduler.Number;
    }

    /// <summary>The generation that this process was restarted from; 0 when it was not.</summary>
    internal static long RestartedGeneration => FiberScheduler.OfThread.Space.RestartedGeneration;

    /// <summary>Whether this process has the task.</summary>
    internal bool IsOfProcess => FiberScheduler.OfThread.Space.Incarnation == _incarnation;

    /// <summary>Whether, beside that, the worker has not been started again since.</summary>
    internal bool IsOfRun => IsOfProcess && FiberScheduler.OfThread.Number == _run;

    /// <summary>The task, if this process has it; it is forgotten here.</summary>
    internal Task? Take() => IsOfProcess ? FiberScheduler.OfThread.Space.Tasks.Take(_number) : null;

    public ExternalWait GetAwaiter() => this;

    /// <summary>Whether the task has ended, or is no more.</summary>
    public bool IsCompleted => !IsOfProcess || FiberScheduler.OfThread.Space.Tasks.Get(_number).IsCompleted;

    public void GetResult()
    {
    }

    void IFiberAwaiter.Suspend(FiberFrame* frame)
    {
        FiberScheduler scheduler = FiberScheduler.OfThread;
        scheduler.Waits.External.Watch(
            scheduler.Space.Tasks.Get(_number), scheduler.SuspendForExternal(frame));
    }
}
