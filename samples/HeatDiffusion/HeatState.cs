using System.Runtime.InteropServices;
using Snapshot;

namespace HeatDiffusion;

/// <summary>The root of a simulation: what it was begun with, and what its threads share.</summary>
internal struct HeatState
{
    internal int Size;
    internal int Threads;
    internal long Steps;
    internal ulong InputChecksum;

    /// <summary>
    /// Whether its workers are fibers: they cannot go on as threads, nor threads as fibers.
    /// </summary>
    internal bool UsesFibers;

    /// <summary>1 once the fields hold the initial temperatures; nothing is captured before that.</summary>
    internal int IsBegun;

    internal ArenaBarrier Barrier;
    internal LogState Log;
}

/// <summary>
/// Where a thread stands: everything it needs to go on after a restart. One cache line, so that threads share
/// none.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct WorkerState
{
    /// <summary>Sweeps done.</summary>
    internal long Step;
    internal WorkerStage Stage;

    /// <summary>The sum of the thread's rows after the latest sweep whose result is recorded.</summary>
    internal double Heat;

    /// <summary>Sweeps as the thread's sync handler saved them; see <see cref="SweepCounter"/>.</summary>
    internal long SweepsCounted;
}

/// <summary>
/// What a thread does next in its sweep. It may be stopped in each stage, and repeats the stage after a
/// restart.
/// </summary>
internal enum WorkerStage
{
    /// <summary>
    /// Compute the rows. Repeating it is harmless: the rows read are not written before the barrier.
    /// </summary>
    Sweep,

    /// <summary>Meet the others. Repeating it is harmless: the barrier knows who has arrived.</summary>
    Arrive,

    /// <summary>
    /// Record a result (the first thread only). It is done together with leaving the stage.
    /// </summary>
    Record,
}

/// <summary>One line of the results file.</summary>
internal struct ResultRecord
{
    internal long Step;
    internal double Heat;
}

/// <summary>The results so far, and how far the results file has them.</summary>
internal struct LogState
{
    internal ArenaMutex Mutex;

    /// <summary>Records made.</summary>
    internal long Count;

    /// <summary>Records in the file, which they make <see cref="FileBytes"/> long.</summary>
    internal long Flushed;
    internal long FileBytes;
}
