using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Tests.Image;
using Snapshot.Tests.Memory;
using Snapshot.Tests.Profiles;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

public sealed unsafe class RegionCaptureTests
{
    private const int Bytes = 16 * Pages.Size;

    [MachineFact]
    [Needs(Capability.WriteTracking)]
    public void Memory_freed_after_it_was_pre_copied_is_zero_when_it_is_allocated_again()
    {
        Arena arena = ArenaTesting.Make(16 * ArenaTesting.MiB);
        using ArenaCloser arenaCloser = new(arena);
        using StagingArea staging = new(16 * ArenaTesting.MiB);
        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using RegionCapture capture = new(
            1, arena.Region, arena, trackers.CreateForArena(arena.Region),
            new PageHashes(arena.Region.CapacityPages), staging, 0, new CapturePolicy());
        byte* memory = (byte*)arena.Allocate(Bytes, Pages.Size);
        new Span<byte>(memory, Bytes).Fill(1);

        capture.Prepare();
        arena.Free(memory);
        capture.Prepare();
        Assert.True(
            memory == arena.Allocate(Bytes, Pages.Size), "the arena is to give the same memory again");
        capture.Collect();
        capture.Hold();

        using MemoryFile file = new();
        ImageHeader header = new(ImageHeader.NewImageId(), 1, null, DateTimeOffset.UnixEpoch);
        using ImageWriter writer = new(file, header);
        capture.WriteTo(writer, null, new PageTally(_ => { }), default);
        writer.Complete(new ImageMetadata());
        using ImageReader reader = ImageReader.Open(new MemoryFile(file.Bytes));
        Span<byte> written = MemoryOf(reader).AsSpan((int)(memory - (byte*)arena.BaseAddress), Bytes);
        Assert.Equal(-1, written.IndexOfAnyExcept((byte)0));
    }

    /// <summary>
    /// Its descriptors are gone, so neither the wanted tracker nor the one before can be had.
    /// </summary>
    [MachineFact]
    [Needs(Capability.CopyOnWrite, Capability.WriteTracking)]
    public void An_exchange_that_fails_twice_loses_no_page_and_the_next_one_succeeds()
    {
        Arena arena = ArenaTesting.Make(16 * ArenaTesting.MiB);
        using ArenaCloser arenaCloser = new(arena);
        using StagingArea staging = new(16 * ArenaTesting.MiB);
        using TrackerFactory gone = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using RegionCapture capture = new(
            1, arena.Region, arena, gone.CreateForArena(arena.Region),
            new PageHashes(arena.Region.CapacityPages),
            staging, 0, new CapturePolicy());
        byte* memory = (byte*)arena.Allocate(Bytes, Pages.Size);
        capture.Collect();
        capture.Hold();
        capture.Settle();
        staging.ReturnAll();
        new Span<byte>(memory, Bytes).Fill(1);
        gone.Dispose();
        CaptureChoice wanted = new(CaptureMode.CopyOnWrite, "the test says so");
        Assert.ThrowsAny<ObjectDisposedException>(() => capture.Choose(wanted, gone, default));
        Assert.Equal(arena.Region.CommittedPages, capture.CountChanged());
        capture.Collect();
        capture.Hold();
        Assert.Equal(arena.Region.CommittedPages, capture.TrackedPages);
        capture.GiveBack();
        staging.ReturnAll();

        using TrackerFactory trackers = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        capture.Choose(new CaptureChoice(CaptureMode.Stage, "the test says so"), trackers, default);
        Assert.Equal(TrackingMechanism.WriteProtect, capture.Tracker.Mechanism);
        capture.Collect();
        capture.Hold();
        Assert.True(capture.TrackedPages >= Bytes / Pages.Size, $"{capture.TrackedPages} pages");
    }

    /// <summary>The memory of the only region of a full image.</summary>
    private static byte[] MemoryOf(ImageReader reader)
    {
        ImageRegion region = Assert.Single(reader.Regions);
        byte[] memory = new byte[Pages.Bytes(region.Description.CommittedPages)];
        using BlockScratch scratch = new();
        foreach (ChainRun run in Assert.Single(ChainMap.Build([reader]).Regions).Runs.ToArray())
        {
            for (long page = 0; run.Kind == ExtentKind.Present && page < run.PageCount; page++)
            {
                int block = reader.BlockOf(run.FirstOrdinal + page);
                long inBlock = run.FirstOrdinal + page - reader.Blocks[block].FirstOrdinal;
                reader.ReadBlock(block, scratch).Slice((int)Pages.Bytes(inBlock), Pages.Size)
                    .CopyTo(memory.AsSpan((int)Pages.Bytes(run.FirstPage + page)));
            }
        }

        return memory;
    }
}
