using System.ComponentModel;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// What may be awaited in a fiber method: awaiters of this library, whose state survives the process.
/// </summary>
/// <remarks>
/// It cannot be implemented elsewhere. Awaiting anything else does not compile (CS0315, CS8377): what is to
/// be awaited from ordinary code, a <see cref="Task"/> for example, belongs into an external section
/// (<see cref="Fiber.External"/>).
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IFiberAwaiter : ICriticalNotifyCompletion
{
    /// <summary>The frame is complete: arranges for its fiber to be resumed.</summary>
    internal unsafe void Suspend(FiberFrame* frame);

    void INotifyCompletion.OnCompleted(Action continuation) => throw OutsideOfFibers();

    void ICriticalNotifyCompletion.UnsafeOnCompleted(Action continuation) => throw OutsideOfFibers();

    private static InvalidOperationException OutsideOfFibers() => new(
        "This awaitable is for fiber methods: async methods that return FiberTask or FiberTask<T>. Make " +
        "the method that awaits it one, and start it with Fiber.Start or SnapshotSession.RunFibers.");
}
