namespace Snapshot.Threads.Fibers;

/// <summary>
/// Critical sections of fibers: each fiber nests its own, and the host is inside while any of its fibers is.
/// </summary>
internal sealed unsafe class FiberCriticalDepth(IFiberHost host)
{
    /// <summary>Fibers that are in a section.</summary>
    internal int Inside { get; private set; }

    /// <summary>Enters, or goes one level deeper; false while a checkpoint is pending.</summary>
    internal bool TryEnter(FiberRecord* fiber)
    {
        if (fiber == null) FiberMisuse.ThrowOutside();
        if (fiber->CriticalDepth == 0)
        {
            if (!host.TryEnterCritical()) return false;
            Inside++;
        }

        fiber->CriticalDepth++;
        return true;
    }

    /// <summary>Leaves one level.</summary>
    /// <returns>False when the fiber is in no section.</returns>
    internal bool TryExit(FiberRecord* fiber)
    {
        if (fiber == null) FiberMisuse.ThrowOutside();
        if (fiber->CriticalDepth == 0) return false;
        if (--fiber->CriticalDepth == 0) LeaveLast();
        return true;
    }

    /// <summary>The fiber ends: leaves all levels.</summary>
    internal void Leave(FiberRecord* fiber)
    {
        if (fiber->CriticalDepth == 0) return;
        fiber->CriticalDepth = 0;
        LeaveLast();
    }

    private void LeaveLast()
    {
        Inside--;
        host.ExitCritical();
    }
}
