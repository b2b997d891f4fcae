using Snapshot.Checkpoint;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;
using Snapshot.Tests.Memory;
using Snapshot.Tests.Session;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

/// <summary>What fails after a generation became durable does not make it a failed checkpoint.</summary>
public sealed class AfterTheCommitTests : IDisposable
{
    private readonly TemporaryStore _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_failure_after_the_commit_is_told_with_the_committed_generation()
    {
        using FailingMedium medium = new(new DirectoryMedium(_directory.Path, true));
        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        using Coordinator coordinator = new();
        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        Arena arena = ArenaTesting.Make(16 * ArenaTesting.MiB);
        using ArenaCloser arenaCloser = new(arena);
        using MemoryCapture memory = new(new StagingArea(16 * ArenaTesting.MiB), trackers, () => false, null);
        memory.AddArena(1, arena, new PageHashes(arena.Region.CapacityPages), 0, CaptureMode.Auto, false);
        using HandlerRegistration handler =
            coordinator.RegisterHandler("told", CheckpointHandler.Create(_ => { }, _ => { }));

        // The handler thread is gone when it is to be told of the commit.
        medium.Fails = (step, name) =>
        {
            if (step == "sync" && name == "manifest") coordinator.Dispose();
            return false;
        };
        ImageHeader header = new(ImageHeader.NewImageId(), store.NextGeneration, null, DateTimeOffset.UtcNow);
        SnapshotInfo info = new CheckpointRun(
            coordinator, memory, store, new ProcessorShare(isWanted: true), new ProcessorMeter()).Execute(
            new CheckpointTicket(new CheckpointOptions(), null, default), header, new ImageWriterOptions(),
            TimeSpan.FromMinutes(1));
        Assert.Equal(1, info.Generation);
        Assert.IsType<ObjectDisposedException>(info.MaintenanceError);
        Assert.Equal(1, store.Newest!.Generation);
        Assert.Equal((header.ImageId, Phase.Idle), (memory.Parent!.Value.ImageId, coordinator.Phase));
        Assert.Null(coordinator.OpenAttempt);
    }
}
