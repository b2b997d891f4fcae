using System.ComponentModel;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>Awaited to let the other fibers of the worker go on.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
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
