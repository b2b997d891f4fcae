using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// Write protection that the library serves. Opened page by page it keeps every promise exactly; the tests here say
/// what the coarser grains report.
/// </summary>
public abstract class FreezingTrackerContract(TrackingMechanism mechanism) : DirtyTrackerContract(mechanism)
{
    private protected const int BlockPages = FreezingTracker.BlockPages;

    private protected override DirtyTracker Create(MemoryRegion region) => Create(region, CaptureGrain.Page);

    [MachineTheory]
    [InlineData(CaptureGrain.Page, 1)]
    [InlineData(CaptureGrain.SixteenPages, 16)]
    [InlineData(CaptureGrain.Block, BlockPages)]
    public void A_collect_holds_the_grain_of_a_written_page(CaptureGrain grain, int pages)
    {
        using TrackedMemory memory = new(4 * BlockPages, 4 * BlockPages);
        for (int page = 0; page < 4 * BlockPages; page++) memory.Page(page)[0] = 1;
        using FreezingTracker tracker = Create(memory, grain);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        changed.Clear();
        int written = (2 * BlockPages) + 100;
        memory.Page(written)[7] = 2;
        tracker.Collect(changed);
        Assert.Equal(pages, changed.Count());
        Assert.True(changed.NextRun(0, out PageRange run));
        Assert.Equal(new PageRange(written / pages * pages, pages), run);
    }

    /// <summary>Opening a block must not make a hole in it count as known: nothing sees its first write.</summary>
    [MachineTheory]
    [InlineData(CaptureGrain.Page)]
    [InlineData(CaptureGrain.SixteenPages)]
    [InlineData(CaptureGrain.Block)]
    public void A_write_into_a_hole_of_an_opened_block_is_seen(CaptureGrain grain)
    {
        using TrackedMemory memory = new(BlockPages, BlockPages);
        for (int page = 0; page < BlockPages; page += 2) memory.Page(page)[0] = 1;
        using FreezingTracker tracker = Create(memory, grain);
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
        FreezingTracker tracker = Create(memory, CaptureGrain.Block);
        IFrozenPages frozen = memory.Frozen!;
        tracker.Dispose();
        Assert.Null(memory.Frozen);
        frozen.Secure(new PageRange(0, BlockPages));
    }

    [MachineFact]
    public void What_is_read_is_of_one_block()
    {
        using TrackedMemory memory = new(2 * BlockPages, 2 * BlockPages);
        using FreezingTracker tracker = Create(memory, CaptureGrain.Block);
        byte[] target = new byte[2 * Pages.Size];
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Read(new PageRange(BlockPages - 1, 2), target));
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Read(new PageRange(0, 3), target));
    }

    private protected FreezingTracker Create(MemoryRegion region, CaptureGrain grain) =>
        TrackerAsUser.Freezing(Trackers, region, grain);
}
