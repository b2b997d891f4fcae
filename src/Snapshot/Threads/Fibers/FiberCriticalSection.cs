using Snapshot.Threads.Fibers;

namespace Snapshot;

/// <summary>An open critical section of a fiber: no checkpoint starts until it is disposed. Do not copy.</summary>
/// <remarks>
/// Fibers of the worker go on meanwhile, as do those of others. It is never in an image. A checkpoint that waits for
/// its end is taken at the next await that suspends.
/// </remarks>
public readonly struct FiberCriticalSection : IDisposable
{
    /// <summary>Leaves the section, in the fiber that entered it.</summary>
    /// <exception cref="InvalidOperationException">This fiber is in none.</exception>
    public unsafe void Dispose()
    {
        FiberScheduler scheduler = FiberScheduler.OfThread;
        if (!scheduler.Critical.TryExit(scheduler.Running)) throw FiberMisuse.NotInCriticalSection(scheduler.OwnerName);
    }
}
