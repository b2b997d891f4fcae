using Snapshot.Base;

namespace Snapshot.Threads.Fibers;

/// <summary>While it is open the thread's fibers are those of the scheduler that made it.</summary>
/// <param name="outer">Whose they are afterwards.</param>
/// <param name="outerOwner">Who owns locks afterwards.</param>
internal readonly ref struct FiberTurn(FiberScheduler? outer, LockOwner? outerOwner)
{
    public void Dispose() => FiberScheduler.Restore(outer, outerOwner);
}
