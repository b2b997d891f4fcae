using Snapshot.Base;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// What stands for a tracker where none can be made: all memory counts as changed, each time, and content
/// tells what was. It needs nothing that could be refused.
/// </summary>
internal sealed class UntrackedMemory(MemoryRegion region) : DirtyTracker
{
    internal override TrackingMechanism Mechanism => TrackingMechanism.ContentHash;

    internal override bool SeesEveryWrite => false;

    internal override void Arm()
    {
        // There is no baseline: the next collect reports everything, which covers whatever it is to be.
    }

    internal override void Collect(PageBitmap changed)
    {
        region.MoveDroppedTo(changed);
        changed.Add(new PageRange(0, region.CommittedPages));
    }

    internal override long CountChanged() => region.CommittedPages;

    internal override void GiveBack(PageBitmap pages)
    {
        // They are in every collect.
    }

    internal override void HandOver(PageBitmap pages)
    {
        region.MoveDroppedTo(pages);
        pages.Add(new PageRange(0, region.CommittedPages));
    }

    public override void Dispose()
    {
    }
}
