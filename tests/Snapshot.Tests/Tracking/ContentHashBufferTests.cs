using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>Buffers start anywhere and end within a page.</summary>
public sealed unsafe class ContentHashBufferTests
{
    [Fact]
    public void An_unaligned_buffer_is_tracked_to_its_last_byte_and_not_beyond()
    {
        const int bytes = (3 * Pages.Size) + 100;
        byte[] array = GC.AllocateArray<byte>(bytes + 64, pinned: true);
        Buffer buffer = new((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(array, 1), bytes);
        using TrackerFactory factory = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using DirtyTracker tracker = factory.CreateForBuffer(buffer);
        Assert.Equal(TrackingMechanism.ContentHash, tracker.Mechanism);
        Assert.Equal([0, 1, 2, 3], Collect(tracker));

        array[1 + bytes - 1] = 1;
        Assert.Equal([3], Collect(tracker));
        array[0] = 1;
        array[1 + bytes] = 1;
        Assert.Empty(Collect(tracker));
        array[1 + Pages.Size] = 1;
        Assert.Equal([1], Collect(tracker));
    }

    [Fact]
    public void Without_a_scan_all_pages_are_read_and_the_answers_are_the_same()
    {
        using TestPrograms.TrackedMemory memory = new(64, 32);
        memory.Page(4)[0] = 1;
        using ContentHashTracker tracker = new(memory, pagemap: null, crew: null);
        using PageBitmap changed = new(64);
        tracker.Collect(changed);
        Assert.Equal(32, changed.Count());
        changed.Clear();
        memory.Page(5)[0] = 1;
        memory.Drop(new PageRange(4, 1));
        tracker.Collect(changed);
        Assert.True(changed.Contains(4) && changed.Contains(5));
        Assert.Equal(2, changed.Count());
    }

    private static long[] Collect(DirtyTracker tracker)
    {
        using PageBitmap changed = new(4);
        tracker.Collect(changed);
        return [.. Enumerable.Range(0, 4).Select(page => (long)page).Where(changed.Contains)];
    }

    private sealed class Buffer(byte* address, long bytes) : MemoryRegion
    {
        internal override string RegionName => "buffer";

        internal override byte* Address { get; } = address;

        internal override long CommittedPages => Pages.Holding(bytes);

        internal override long CommittedBytes => bytes;

        internal override long CapacityPages => CommittedPages;

        internal override void MoveDroppedTo(PageBitmap changed)
        {
        }
    }
}
