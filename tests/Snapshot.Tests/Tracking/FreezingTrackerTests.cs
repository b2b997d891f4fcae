using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>By userfaultfd: threads of the library serve the writes.</summary>
public sealed class FreezingTrackerTests() : FreezingTrackerContract(TrackingMechanism.ServedWriteProtect)
{
    [Fact]
    public void Memory_that_another_session_tracks_is_refused()
    {
        using TrackedMemory memory = new(BlockPages, BlockPages);
        using FreezingTracker tracker = Create(memory, CaptureGrain.Block);
        using TrackerFactory other = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        SnapshotException error = Assert.Throws<SnapshotException>(() => other.CreateFreezing(memory));
        Assert.Equal(SnapshotErrorCode.SystemCall, error.Code);
        Assert.Contains(memory.RegionName, error.Message, StringComparison.Ordinal);
    }
}

/// <summary>By signals: the writing threads serve themselves. Nothing is needed for it.</summary>
public sealed class SignalTrackerTests() : FreezingTrackerContract(TrackingMechanism.SignalWriteProtect);
