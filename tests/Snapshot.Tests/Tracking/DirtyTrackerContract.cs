using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// What every tracker promises. The scenarios are in <see cref="TrackerScenarios"/>, shared with the run as
/// an ordinary user.
/// </summary>
public abstract class DirtyTrackerContract : IDisposable
{
    private protected TrackerFactory Trackers => _factory;

    private readonly TrackerFactory _factory;

    private protected DirtyTrackerContract(TrackingMechanism mechanism, MachineCapabilities? machine = null)
    {
        TrackingMechanism unlessFrozen =
            mechanism == TrackingMechanism.ServedWriteProtect ? TrackingMechanism.Auto : mechanism;
        _factory = new TrackerFactory(machine ?? MachineCapabilities.Current, unlessFrozen);
        Mechanism = mechanism;
    }

    public TrackingMechanism Mechanism { get; }

    /// <summary>A tracker of the mechanism.</summary>
    private protected virtual DirtyTracker Create(MemoryRegion region) => _factory.CreateForArena(region);

    [MachineFact]
    public void The_factory_makes_the_mechanism_that_was_asked_for()
    {
        using TrackedMemory memory = new(16, 16);
        using DirtyTracker tracker = Create(memory);
        Assert.Equal(Mechanism, tracker.Mechanism);
        Assert.Equal(
            Mechanism is TrackingMechanism.WriteProtect or TrackingMechanism.ServedWriteProtect
                or TrackingMechanism.SignalWriteProtect,
            tracker.SeesEveryWrite);
    }

    [MachineFact]
    public void The_first_collect_holds_what_was_there() =>
        TrackerScenarios.FirstCollectHoldsWhatWasThere(Create);

    [MachineFact]
    public void A_second_collect_is_empty() => TrackerScenarios.SecondCollectIsEmpty(Create);

    [MachineFact]
    public void A_collect_holds_exactly_the_written_pages() =>
        TrackerScenarios.CollectHoldsExactlyTheWrittenPages(Create);

    [MachineFact]
    public void A_page_populated_after_creation_is_seen() =>
        TrackerScenarios.PopulatedAfterCreationIsSeen(Create);

    [MachineFact]
    [Needs(Capability.Pagemap)]
    public void Unused_memory_stays_unused() => TrackerScenarios.UnusedMemoryStaysUnused(Create);

    [MachineFact]
    public void A_write_after_only_reading_is_seen() => TrackerScenarios.WriteAfterOnlyReadingIsSeen(Create);

    [MachineFact]
    public virtual void A_read_from_a_pipe_is_seen() => TrackerScenarios.ReadFromPipeIsSeen(Create);

    [MachineFact]
    public virtual void A_read_from_a_file_is_seen() => TrackerScenarios.ReadFromFileIsSeen(Create);

    [MachineFact]
    public void Dropped_runs_are_reported() => TrackerScenarios.DroppedRunsAreReported(Create);

    [MachineFact]
    public void A_write_after_a_drop_is_seen() => TrackerScenarios.WriteAfterDropIsSeen(Create);

    [MachineFact]
    public void Pages_given_back_come_again_once() => TrackerScenarios.GivenBackPagesComeAgainOnce(Create);

    [MachineFact]
    public void Growth_is_tracked() => TrackerScenarios.GrowthIsTracked(Create);

    [MachineFact]
    public void Huge_pages_are_tracked() => TrackerScenarios.HugePagesAreTracked(Create);

    [MachineFact]
    public void Arming_forgets_everything() => TrackerScenarios.ArmForgets(Create);

    [MachineFact]
    public void Pages_open_for_devices_are_in_every_collect() =>
        TrackerScenarios.OpenForDevicesIsInEveryCollect(Create);

    [MachineFact]
    [Needs(Capability.Pagemap)]
    public void Counting_rearms_nothing() => TrackerScenarios.CountingRearmsNothing(Create);

    [MachineFact]
    public void A_collect_allocates_nothing() => TrackerScenarios.CollectAllocatesNothing(Create);

    [MachineFact]
    public void More_runs_than_one_call_reports_are_found() =>
        TrackerScenarios.ManyScatteredPagesAreFound(Create);

    [MachineTheory]
    [InlineData(1)]
    [InlineData(2)]
    public virtual void A_concurrent_writer_loses_no_page(int seed) =>
        TrackerScenarios.ConcurrentWriterLosesNoPage(Create, seed);

    [MachineFact]
    public void Disposing_a_tracker_ends_its_tracking_and_another_may_begin()
    {
        using TrackedMemory memory = new(64, 64);
        memory.Page(7)[0] = 1;
        Create(memory).Dispose();
        using DirtyTracker second = Create(memory);
        using PageBitmap changed = new(64);
        second.Collect(changed);
        Assert.True(changed.Contains(7));
    }

    public void Dispose()
    {
        _factory.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>Of those whose descriptors close with the last tracker.</summary>
public sealed class TrackerLifetimeTests
{
    [MachineTheory]
    [InlineData(TrackingMechanism.WriteProtect)]
    [InlineData(TrackingMechanism.ContentHash)]
    [Needs(Capability.Pagemap)]
    public void A_tracker_outlives_its_factory(TrackingMechanism mechanism)
    {
        using TrackedMemory memory = new(64, 64);
        TrackerFactory factory = new(MachineCapabilities.Current, mechanism);
        using DirtyTracker tracker = factory.CreateForArena(memory);
        Assert.Equal(0, tracker.CountChanged());
        factory.Dispose();
        memory.Page(9)[0] = 1;
        using PageBitmap changed = new(64);
        tracker.Collect(changed);
        Assert.True(changed.Contains(9));
    }
}

/// <summary>Write protection by the kernel.</summary>
[Needs(Capability.WriteTracking)]
public sealed class WriteProtectTrackerTests() : DirtyTrackerContract(TrackingMechanism.WriteProtect)
{
    [MachineFact]
    public void Memory_that_is_no_longer_tracked_is_an_error_after_which_everything_counts_as_changed()
    {
        const int operationNotPermitted = 1;
        using TrackedMemory memory = new(64, 64);
        using TrackerFactory factory = new(MachineCapabilities.Current, Mechanism);
        using DirtyTracker tracker = factory.CreateForArena(memory);
        using PageBitmap changed = new(64);
        tracker.Collect(changed);
        Assert.Equal(0, tracker.CountChanged());

        memory.Replace(30);
        SnapshotException error = Assert.Throws<SnapshotException>(() => tracker.Collect(changed));
        Assert.Equal((SnapshotErrorCode.SystemCall, operationNotPermitted), (error.Code, error.Errno));
        Assert.InRange(tracker.CountChanged(), 64, long.MaxValue);
    }

    [MachineFact]
    public void A_few_pages_of_much_memory_are_found_by_several_threads()
    {
        const int piece = 1 << 15;
        long[] written = [0, piece - 1, piece, (2 * piece) - 1, 2 * piece, (2 * piece) + 77, (3 * piece) + 5];
        using TrackedMemory memory = new((3 * piece) + 100, (3 * piece) + 100);
        using TrackerFactory factory = new(MachineCapabilities.Current, Mechanism);
        factory.PrepareFor(1L << 18);
        using DirtyTracker tracker = factory.CreateForArena(memory);
        using PageBitmap changed = new((3 * piece) + 100);
        foreach (long page in written) memory.Page(page)[0] = 1;
        tracker.Collect(changed);
        for (int round = 1; round <= 3; round++)
        {
            foreach (long page in written.AsSpan(round)) memory.Page(page)[0]++;
            Assert.Equal(written.Length - round, tracker.CountChanged());
            changed.Clear();
            tracker.Collect(changed);
            Assert.Equal(written.Length - round, changed.Count());
            Assert.All(written[round..], page => Assert.True(changed.Contains(page)));
            Assert.Equal(0, tracker.CountChanged());
        }
    }

    [MachineFact]
    public void Memory_that_another_session_tracks_is_refused()
    {
        using TrackedMemory memory = new(64, 64);
        using TrackerFactory factory = new(MachineCapabilities.Current, Mechanism);
        using TrackerFactory other = new(MachineCapabilities.Current, Mechanism);
        using DirtyTracker tracker = factory.CreateForArena(memory);
        SnapshotException error = Assert.Throws<SnapshotException>(() => other.CreateForArena(memory));
        Assert.Equal(SnapshotErrorCode.SystemCall, error.Code);
        Assert.Contains(memory.RegionName, error.Message, StringComparison.Ordinal);
    }
}

/// <summary>Content hash, on the same promises.</summary>
public sealed class ContentHashTrackerTests() : DirtyTrackerContract(TrackingMechanism.ContentHash);

/// <summary>
/// Content hash where the kernel has no scan: the entries of the pagemap tell what has memory.
/// </summary>
public sealed class ContentHashByEntriesTests()
    : DirtyTrackerContract(
        TrackingMechanism.ContentHash, MachineCapabilities.Without(Capability.PagemapScan));

/// <summary>
/// Soft-dirty bits, by a scan where there is one. Nothing else of the process may take them meanwhile.
/// </summary>
[Needs(Capability.SoftDirty)]
[CollectionDefinition(nameof(SoftDirtyTrackerTests), DisableParallelization = true)]
[Collection(nameof(SoftDirtyTrackerTests))]
public sealed class SoftDirtyTrackerTests() : DirtyTrackerContract(TrackingMechanism.SoftDirty);

/// <summary>Soft-dirty bits by the entries of the pagemap.</summary>
[Needs(Capability.SoftDirty)]
[Collection(nameof(SoftDirtyTrackerTests))]
public sealed class SoftDirtyByEntriesTests()
    : DirtyTrackerContract(TrackingMechanism.SoftDirty, MachineCapabilities.Without(Capability.PagemapScan));
