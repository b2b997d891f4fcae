using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// Write protection that the library serves: what every tracker promises, and what a write to a block opens.
/// </summary>
public abstract class FreezingTrackerContract(TrackingMechanism mechanism) : DirtyTrackerContract(mechanism)
{
    private protected const int BlockPages = FreezingTracker.BlockPages;

    private protected sealed override DirtyTracker Create(MemoryRegion region) => CreateFreezing(region);

    [MachineFact]
    public void A_collect_holds_the_block_of_a_written_page()
    {
        using TrackedMemory memory = Filled(blocks: 4);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        changed.Clear();
        memory.Page((2 * BlockPages) + 100)[7] = 2;
        tracker.Collect(changed);
        Assert.Equal(BlockPages, changed.Count());
        Assert.True(changed.NextRun(0, out PageRange run));
        Assert.Equal(new PageRange(2 * BlockPages, BlockPages), run);
    }

    /// <summary>What an early collect took and is written again is in the next collect, and nothing else is.</summary>
    [MachineFact]
    public void A_collect_after_an_early_one_holds_what_was_written_or_dropped_in_between()
    {
        using TrackedMemory memory = Filled(blocks: 8);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        Assert.Equal(new PageRange(0, 8 * BlockPages), tracker.Collected);

        foreach (int block in (int[])[1, 3]) memory.Page(block * BlockPages)[0]++;
        changed.Clear();
        tracker.CollectEarly(changed);
        Assert.Equal(2 * BlockPages, changed.Count());
        Assert.Equal(0, tracker.CountChanged());

        foreach (int block in (int[])[3, 5]) memory.Page((block * BlockPages) + 7)[0]++;
        changed.Clear();
        tracker.Collect(changed);
        Assert.Equal(2 * BlockPages, changed.Count());
        Assert.Equal(new PageRange(3 * BlockPages, 3 * BlockPages), tracker.Collected);

        memory.Page(BlockPages)[0]++;
        tracker.CollectEarly(changed);
        memory.Drop(new PageRange(BlockPages, 4));
        memory.Page(BlockPages + 1)[0]++;
        changed.Clear();
        tracker.Collect(changed);
        Assert.True(changed.Contains(BlockPages) && changed.Contains(BlockPages + 1));
        Assert.Equal(Mechanism == TrackingMechanism.SignalWriteProtect ? BlockPages : 4, changed.Count());
        Assert.Equal(new PageRange(0, 8 * BlockPages), tracker.Collected);
        changed.Clear();
        tracker.Collect(changed);
        Assert.Equal(0, changed.Count());
        Assert.Equal(default, tracker.Collected);
    }

    /// <summary>Opening a block must not make a hole in it count as known: nothing sees its first write.</summary>
    [MachineFact]
    public void A_write_into_a_hole_of_an_opened_block_is_seen()
    {
        using TrackedMemory memory = new(BlockPages, BlockPages);
        for (int page = 0; page < BlockPages; page += 2) memory.Page(page)[0] = 1;
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        memory.Page(4)[0] = 2;
        tracker.Collect(changed);
        memory.Page(5)[0] = 3;
        changed.Clear();
        tracker.Collect(changed);
        Assert.True(changed.Contains(5), "the page that was written is reported");
    }

    [MachineFact]
    public void Securing_memory_after_the_tracker_is_gone_does_nothing()
    {
        using TrackedMemory memory = new(BlockPages, BlockPages);
        FreezingTracker tracker = CreateFreezing(memory);
        IFrozenPages frozen = memory.Frozen!;
        tracker.Dispose();
        Assert.Null(memory.Frozen);
        frozen.Secure(new PageRange(0, BlockPages));
    }

    [MachineFact]
    public void What_is_read_is_of_one_block()
    {
        using TrackedMemory memory = new(2 * BlockPages, 2 * BlockPages);
        using FreezingTracker tracker = CreateFreezing(memory);
        byte[] target = new byte[2 * Pages.Size];
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Read(new PageRange(BlockPages - 1, 2), target));
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Read(new PageRange(0, 3), target));
    }

    /// <summary>Memory of which each page was written.</summary>
    private protected static TrackedMemory Filled(int blocks)
    {
        TrackedMemory memory = new(blocks * BlockPages, blocks * BlockPages);
        for (int page = 0; page < blocks * BlockPages; page++) memory.Page(page)[0] = 1;
        return memory;
    }

    private protected FreezingTracker CreateFreezing(MemoryRegion region) => Trackers.CreateFreezing(region);
}
