using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.Tests.Memory;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

public sealed unsafe class HugePagesReturnTests
{
    private const int Spans = 8;
    private const long Bytes = Spans * (long)Pages.HugeSize;

    [MachineFact]
    [Needs(Capability.Collapse, Capability.CopyOnWrite, Capability.WriteTracking)]
    public void Memory_that_tracking_has_split_is_in_huge_pages_again_when_it_is_captured_by_copy_on_write()
    {
        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        Arena arena = ArenaTesting.Make(64 * ArenaTesting.MiB, huge: true);
        using ArenaCloser arenaCloser = new(arena);
        using StagingArea staging = new(64 * ArenaTesting.MiB);
        using RegionCapture capture = new(
            1, arena.Region, arena, trackers.CreateForArena(arena.Region),
            new PageHashes(arena.Region.CapacityPages), staging, 0, new CapturePolicy());
        byte* memory = (byte*)arena.Allocate(Bytes, Pages.HugeSize);
        new Span<byte>(memory, (int)Bytes).Fill(1);
        capture.Collect();
        for (int span = 0; span < Spans; span++) memory[span * (long)Pages.HugeSize] = 2;
        Assert.True(trackers.HugePart(arena.Region) < 0.5, "a write to a tracked huge page splits it");

        capture.Choose(new CaptureChoice(CaptureMode.CopyOnWrite, "for the test"), trackers, default);
        Assert.True(capture.IsFreezing);
        Assert.True(
            trackers.HugePart(arena.Region) > 0.5, $"{trackers.HugePart(arena.Region):P0} in huge pages");
        for (int span = 0; span < Spans; span++) Assert.Equal(2, memory[span * (long)Pages.HugeSize]);
        capture.Collect();
        Assert.True(capture.TrackedPages >= Pages.Holding(Bytes), "an exchange reports all memory once");
    }
}
