using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// Write protection that the library serves: what every tracker promises, and what a write to a span opens.
/// </summary>
public abstract class FreezingTrackerContract(TrackingMechanism mechanism) : DirtyTrackerContract(mechanism)
{
    private protected const int SpanPages = FreezingTracker.SpanPages;

    private protected sealed override DirtyTracker Create(MemoryRegion region) => CreateFreezing(region);

    [MachineFact]
    public void A_collect_holds_the_span_of_a_written_page()
    {
        using TrackedMemory memory = Filled(spans: 4);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        changed.Clear();
        memory.Page((2 * SpanPages) + 100)[7] = 2;
        tracker.Collect(changed);
        Assert.Equal(SpanPages, changed.Count());
        Assert.True(changed.NextRun(0, out PageRange run));
        Assert.Equal(new PageRange(2 * SpanPages, SpanPages), run);
    }

    /// <summary>
    /// What an early collect took and is written again is in the next collect, and nothing else is.
    /// </summary>
    [MachineFact]
    public void A_collect_after_an_early_one_holds_what_was_written_or_dropped_in_between()
    {
        using TrackedMemory memory = Filled(spans: 8);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        Assert.Equal(new PageRange(0, 8 * SpanPages), tracker.Collected);

        foreach (int span in (int[])[1, 3]) memory.Page(span * SpanPages)[0]++;
        changed.Clear();
        tracker.CollectEarly(changed);
        Assert.Equal(2 * SpanPages, changed.Count());
        Assert.Equal(0, tracker.CountChanged());

        foreach (int span in (int[])[3, 5]) memory.Page((span * SpanPages) + 7)[0]++;
        changed.Clear();
        tracker.Collect(changed);
        Assert.Equal(2 * SpanPages, changed.Count());
        Assert.Equal(new PageRange(3 * SpanPages, 3 * SpanPages), tracker.Collected);

        memory.Page(SpanPages)[0]++;
        tracker.CollectEarly(changed);
        memory.Drop(new PageRange(SpanPages, 4));
        memory.Page(SpanPages + 1)[0]++;
        changed.Clear();
        tracker.Collect(changed);
        Assert.True(changed.Contains(SpanPages) && changed.Contains(SpanPages + 1));
        Assert.Equal(Mechanism == TrackingMechanism.SignalWriteProtect ? SpanPages : 4, changed.Count());
        Assert.Equal(new PageRange(0, 8 * SpanPages), tracker.Collected);
        changed.Clear();
        tracker.Collect(changed);
        Assert.Equal(0, changed.Count());
        Assert.Equal(default, tracker.Collected);
    }

    /// <summary>
    /// Opening a span must not make a hole in it count as known: nothing sees its first write.
    /// </summary>
    [MachineFact]
    public void A_write_into_a_hole_of_an_opened_span_is_seen()
    {
        using TrackedMemory memory = new(SpanPages, SpanPages);
        for (int page = 0; page < SpanPages; page += 2) memory.Page(page)[0] = 1;
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
        using TrackedMemory memory = new(SpanPages, SpanPages);
        FreezingTracker tracker = CreateFreezing(memory);
        IFrozenPages frozen = memory.Frozen!;
        tracker.Dispose();
        Assert.Null(memory.Frozen);
        frozen.Secure(new PageRange(0, SpanPages));
    }

    [MachineFact]
    public void What_is_read_is_of_one_span()
    {
        using TrackedMemory memory = new(2 * SpanPages, 2 * SpanPages);
        using FreezingTracker tracker = CreateFreezing(memory);
        byte[] target = new byte[2 * Pages.Size];
        Assert.Throws<ArgumentOutOfRangeException>(
            () => tracker.Read(new PageRange(SpanPages - 1, 2), target));
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Read(new PageRange(0, 3), target));
    }

    /// <summary>Memory of which each page was written.</summary>
    private protected static TrackedMemory Filled(int spans)
    {
        TrackedMemory memory = new(spans * SpanPages, spans * SpanPages);
        for (int page = 0; page < spans * SpanPages; page++) memory.Page(page)[0] = 1;
        return memory;
    }

    private protected FreezingTracker CreateFreezing(MemoryRegion region) => Trackers.CreateFreezing(region);
}
