using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>By userfaultfd: threads of the library serve the writes.</summary>
[Needs(Capability.CopyOnWrite)]
public sealed class FreezingTrackerTests() : FreezingTrackerContract(TrackingMechanism.ServedWriteProtect)
{
    // System calls that write protected memory wait only where the kernel lets them.
    [MachineFact]
    [Needs(Capability.CopyOnWriteInSystemCalls)]
    public override void A_read_from_a_pipe_is_seen() => base.A_read_from_a_pipe_is_seen();

    [MachineFact]
    [Needs(Capability.CopyOnWriteInSystemCalls)]
    public override void A_read_from_a_file_is_seen() => base.A_read_from_a_file_is_seen();

#pragma warning disable xUnit1003 // The rows are those of what it overrides.
    [MachineTheory]
    [Needs(Capability.CopyOnWriteInSystemCalls)]
    public override void A_concurrent_writer_loses_no_page(int seed) =>
        base.A_concurrent_writer_loses_no_page(seed);
#pragma warning restore xUnit1003

    /// <summary>
    /// Before Linux 6.3 the kernel refuses to protect, or to open, several mappings by one call.
    /// </summary>
    [MachineFact]
    public void A_span_with_an_inaccessible_page_in_it_is_armed_and_opened()
    {
        const int guard = 100;
        using TrackedMemory memory = Filled(spans: 1);
        memory.Guard(guard);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        for (int round = 0; round < 3; round++)
        {
            AssertGoesOn(() => memory.Page(guard + 1)[0]++);
            changed.Clear();
            tracker.Collect(changed);
            Assert.Equal(SpanPages, changed.Count());
        }
    }

    [MachineFact]
    public void A_write_beside_a_page_that_somebody_has_mapped_over_goes_on()
    {
        const int stray = 100;
        using TrackedMemory memory = Filled(spans: 1);
        using FreezingTracker tracker = CreateFreezing(memory);
        using PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        memory.Replace(stray);
        AssertGoesOn(() => memory.Page(stray + 1)[0]++);
        AssertGoesOn(() => memory.Page(stray - 1)[0]++);
    }

    [MachineFact]
    public void Memory_that_another_session_tracks_is_refused()
    {
        using TrackedMemory memory = new(SpanPages, SpanPages);
        using FreezingTracker tracker = CreateFreezing(memory);
        using TrackerFactory other = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        SnapshotException error = Assert.Throws<SnapshotException>(() => other.CreateFreezing(memory));
        Assert.Equal(SnapshotErrorCode.SystemCall, error.Code);
        Assert.Contains(memory.RegionName, error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// A write that is never let through would hang the run; disposing the tracker lets it go.
    /// </summary>
    private static void AssertGoesOn(Action write)
    {
        Thread writer = new(() => write()) { IsBackground = true };
        writer.Start();
        Assert.True(writer.Join(TimeSpan.FromMinutes(1)), "the write is let through");
    }
}
