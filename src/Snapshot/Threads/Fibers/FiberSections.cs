using Snapshot.Base;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Critical sections of fibers: each fiber nests its own, and the host is inside while any of its fibers is.
/// </summary>
internal sealed unsafe class FiberSections(IFiberHost host)
{
    private uint _last;

    /// <summary>Fibers that are in a section.</summary>
    internal int Inside { get; private set; }

    /// <summary>Enters, or goes one level deeper; false while a checkpoint is pending.</summary>
    internal bool TryEnter(FiberRecord* fiber, out NestedScope section)
    {
        if (fiber == null) FiberMisuse.ThrowOutside();
        section = default;
        if (fiber->Section == 0)
        {
            if (!host.TryEnterCritical()) return false;
            Inside++;
        }

        section = NestedScope.Enter(ref _last, ref fiber->Section);
        return true;
    }

    /// <summary>Leaves one level.</summary>
    /// <returns>False when it is not the fiber's innermost section.</returns>
    internal bool TryExit(FiberRecord* fiber, NestedScope section)
    {
        if (fiber == null) FiberMisuse.ThrowOutside();
        if (!section.TryLeave(ref fiber->Section)) return false;
        if (fiber->Section == 0) LeaveLast();
        return true;
    }

    /// <summary>The fiber ends: leaves all levels.</summary>
    internal void Leave(FiberRecord* fiber)
    {
        if (fiber->Section == 0) return;
        fiber->Section = 0;
        LeaveLast();
    }

    private void LeaveLast()
    {
        Inside--;
        host.ExitCritical();
    }
}
