using System.ComponentModel;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>Awaited to be where the fiber may be stopped.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct SafepointAwaiter : IFiberAwaiter
{
    /// <summary>For the compiler.</summary>
    public SafepointAwaiter GetAwaiter() => this;

    /// <summary>For the compiler.</summary>
    public bool IsCompleted
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => StopSignal.IsQuiet || FiberScheduler.MayGoOn;
    }

    /// <summary>For the compiler.</summary>
    public void GetResult()
    {
    }

    unsafe void IFiberAwaiter.Suspend(FiberFrame* frame) => FiberScheduler.OfThread.SuspendAtSafepoint(frame);
}
