namespace Snapshot.Threads.Fibers;

/// <summary>
/// What a worker thread, or a handler that is a fiber, owns in an arena. Written by its thread only.
/// </summary>
internal unsafe struct WorkerRecord
{
    internal WorkerRecord* Next;

    /// <summary>UTF-8, an allocation of the arena.</summary>
    internal byte* Name;

    internal int NameBytes;
    internal WorkerState State;

    internal ReadyFibers Ready;
    internal FiberRecord* FirstLive;
    internal FiberRecord* FirstUnused;
    internal long LiveFibers;

    internal FiberTimers Timers;

    /// <summary>
    /// The fiber time when the worker was last stopped, in nanoseconds since its first start.
    /// </summary>
    internal long Clock;

    internal FramePool Pool;
}

/// <summary>Whether a worker's fibers have been started. Kept in images, do not renumber.</summary>
internal enum WorkerState
{
    /// <summary>None was started.</summary>
    New = 0,

    /// <summary>It has fibers.</summary>
    Started = 1,

    /// <summary>All its fibers have ended.</summary>
    Finished = 2,
}
