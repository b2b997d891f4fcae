using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>One fiber, in an arena: its frames, and what it waits for.</summary>
/// <remarks>
/// Written by its worker only, but for <see cref="Wait"/>, whose owner is said there. A record is reused,
/// with another <see cref="Serial"/>, for fibers only, also of other workers: whoever kept its address may
/// read the serial at any time.
/// </remarks>
internal unsafe struct FiberRecord
{
    /// <summary>First, so that a node of the wait table is the address of its fiber.</summary>
    internal WaitNode Wait;

    /// <summary>The frame to resume.</summary>
    internal FiberFrame* Top;

    /// <summary>
    /// The word it waits for or was woken from; holds, unlike the node's, until it is resumed.
    /// </summary>
    internal uint* WaitsFor;

    /// <summary>The next that is ready.</summary>
    internal FiberRecord* NextReady;

    /// <summary>In the list of the live, or of the records to be reused.</summary>
    internal FiberRecord* NextLive;

    internal FiberRecord* PreviousLive;

    /// <summary>The group it was started in, or null.</summary>
    internal GroupRecord* Group;

    /// <summary>
    /// When its wait gives up, in the worker's fiber time; meaningful while it has a timer.
    /// </summary>
    internal long Deadline;

    /// <summary>Place in the worker's heap of timers, from 1; 0: none.</summary>
    internal int Timer;

    /// <summary>Changes when the fiber ends; whoever joins waits for that.</summary>
    internal uint Serial;

    internal FiberStatus Status;

    /// <summary>Whether the latest wait ended because its time had passed.</summary>
    internal byte IsTimedOut;

    /// <summary>Number of the innermost critical section, 0 for none; never in an image.</summary>
    internal uint Section;
}

/// <summary>What a fiber does. Kept in images, do not renumber.</summary>
internal enum FiberStatus : byte
{
    /// <summary>In the list of the ready.</summary>
    Ready = 1,

    /// <summary>Executes now.</summary>
    Running = 2,

    /// <summary>Waits for a word, a time, or something outside; looks again after a restart.</summary>
    Waiting = 3,

    /// <summary>A handler that waits for the capture.</summary>
    AtCheckpoint = 4,

    /// <summary>An exception left its outermost frame.</summary>
    Faulted = 5,

    /// <summary>Its outermost frame returned.</summary>
    Ended = 6,
}
