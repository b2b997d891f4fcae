using Snapshot.Base;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// The bits are those of the whole process: who owns them, and that they are taken for all at once.
/// </summary>
[Needs(Capability.SoftDirty)]
[Collection(nameof(SoftDirtyTrackerTests))]
public sealed class SoftDirtyBitsTests
{
    [MachineFact]
    public void One_session_of_a_process_has_the_soft_dirty_bits_and_another_hashes()
    {
        MachineCapabilities machine = MachineCapabilities.Without(Capability.WriteTracking);
        using TrackedMemory memory = new(64, 64);
        using (TrackerFactory first = new(machine, TrackingMechanism.Auto))
        using (TrackerFactory second = new(machine, TrackingMechanism.Auto))
        {
            Assert.Equal(TrackingMechanism.SoftDirty, first.Mechanism);
            Assert.Equal(TrackingMechanism.ContentHash, second.Mechanism);
            SnapshotException error = Assert.Throws<SnapshotException>(
                () => new TrackerFactory(machine, TrackingMechanism.SoftDirty));
            Assert.Equal(SnapshotErrorCode.Unsupported, error.Code);

            // To probe again must not clear what the session has not read yet.
            using DirtyTracker tracker = first.CreateForArena(memory);
            using PageBitmap changed = new(64);
            tracker.Collect(changed);
            memory.Page(9)[0] = 1;
            Assert.True(MachineCapabilities.Probe()[Capability.SoftDirty]);
            changed.Clear();
            tracker.Collect(changed);
            Assert.True(changed.Contains(9));
        }

        using TrackerFactory third = new(machine, TrackingMechanism.Auto);
        Assert.Equal(TrackingMechanism.SoftDirty, third.Mechanism);
    }

    [MachineFact]
    public void The_bits_of_all_arenas_are_taken_at_once_and_armed_at_once()
    {
        MachineCapabilities machine = MachineCapabilities.Without(Capability.WriteTracking);
        using TrackedMemory left = new(64, 64), right = new(64, 64);
        using TrackerFactory factory = new(machine, TrackingMechanism.SoftDirty);
        left.Page(1)[0] = right.Page(2)[0] = 1;
        factory.BeginArming();
        using DirtyTracker leftTracker = factory.CreateForArena(left), rightTracker =
            factory.CreateForArena(right);
        leftTracker.Arm();
        rightTracker.Arm();
        factory.EndArming();
        using PageBitmap changed = new(64);
        left.Page(3)[0] = right.Page(4)[0] = 1;
        Assert.Equal([3], Together(leftTracker));
        Assert.Equal([4], Collected(rightTracker));
        Assert.Empty(Together(rightTracker));

        // What was taken while nobody wrote can be copied against writers: what is written then is found
        // again.
        left.Page(5)[0] = left.Page(6)[0] = 1;
        Assert.Empty(Early(leftTracker));
        factory.TakeWritten();
        left.Page(6)[0] = left.Page(7)[0] = 2;
        Assert.Equal([5, 6], Early(leftTracker));
        Assert.Equal([6, 7], Together(leftTracker));
        Assert.Empty(Early(rightTracker));

        long[] Early(DirtyTracker tracker)
        {
            changed.Clear();
            tracker.CollectEarly(changed);
            return Members();
        }

        long[] Together(DirtyTracker tracker)
        {
            factory.BeginCollect();
            long[] pages = Collected(tracker);
            factory.EndCollect();
            return pages;
        }

        long[] Collected(DirtyTracker tracker)
        {
            changed.Clear();
            tracker.Collect(changed);
            return Members();
        }

        long[] Members() => [.. Enumerable.Range(0, 64).Select(page => (long)page).Where(changed.Contains)];
    }
}
