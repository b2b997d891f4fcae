using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// An open critical section of a fiber: no checkpoint starts until it is disposed. Do not copy.
/// </summary>
/// <remarks>
/// Fibers of the worker go on meanwhile, as do those of others. It is never in an image. A checkpoint that
/// waits for its end is taken at the first await that suspends once participants are being stopped.
/// </remarks>
public readonly struct FiberCriticalSection : IDisposable
{
    private readonly NestedScope _scope;

    internal FiberCriticalSection(NestedScope scope) => _scope = scope;

    /// <summary>
    /// Leaves the section, in the fiber that entered it. On a thread that runs no fibers it does nothing: the
    /// section stays open, and a checkpoint that waits for it names the fiber.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// This fiber is in none, or it is not the one that it entered last: one inside it is open, or it was
    /// left already. Nothing was left.
    /// </exception>
    public unsafe void Dispose()
    {
        if (FiberScheduler.OfThreadOrNull is not { } scheduler) return;
        if (scheduler.Critical.TryExit(scheduler.Running, _scope)) return;
        throw FiberMisuse.NotInCriticalSection(scheduler.OwnerName);
    }
}
