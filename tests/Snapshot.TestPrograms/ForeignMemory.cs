using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.TestPrograms;

/// <summary>Memory of the program as a tracker is asked about it, and what is expected of the answer.</summary>
internal sealed unsafe class ForeignMemory : MemoryRegion, IDisposable
{
    private readonly DirtyTracker _tracker;

    internal ForeignMemory(byte* address, long bytes, Func<MemoryRegion, DirtyTracker> create)
    {
        Address = address;
        CommittedBytes = bytes;
        _tracker = create(this);
    }

    internal override string RegionName => "foreign";

    internal override byte* Address { get; }

    internal override long CommittedBytes { get; }

    internal override long CommittedPages => CapacityPages;

    internal override long CapacityPages => Pages.Holding(CommittedBytes);

    internal DirtyTracker Tracker => _tracker;

    /// <summary>Whether its pages are watched where they are, and not hashed.</summary>
    internal bool IsWatched => _tracker.Mechanism == TrackingMechanism.WriteProtect;

    internal override void MoveDroppedTo(PageBitmap changed)
    {
    }

    /// <summary>Collects, and expects exactly these pages, numbered from the first byte.</summary>
    internal void Expect(params IEnumerable<long> pages)
    {
        long[] found = Collect(), expected = [.. pages.Distinct().Order()];
        if (found.SequenceEqual(expected)) return;
        throw new InvalidOperationException(
            $"Broken promise of {_tracker.Mechanism}: [{Text(found)}] are reported, not [{Text(expected)}].");
    }

    internal void ExpectAll() => Expect(Range(0, CapacityPages));

    /// <summary>
    /// The pages that a write to a byte is reported by: of watched memory, those with a byte on its page, or
    /// on its edge.
    /// </summary>
    internal IEnumerable<long> Around(long offset)
    {
        BufferPages layout = new((ulong)Address, CommittedBytes);
        long whole = offset - layout.LeadBytes;
        if (!IsWatched || whole < 0) return [offset >> Pages.Shift];
        PageRange pages = offset < layout.TailOffset
            ? BufferPages.Holding(offset - (whole % Pages.Size), Pages.Size)
            : BufferPages.Holding(layout.TailOffset, CommittedBytes - layout.TailOffset);
        return Range(pages.Start, pages.Count);
    }

    internal static IEnumerable<long> Range(long first, long count) =>
        Enumerable.Range((int)first, (int)count).Select(page => (long)page);

    /// <summary>The tracker alone: the memory is whose it was.</summary>
    public void Dispose() => _tracker.Dispose();

    private long[] Collect()
    {
        using PageBitmap changed = new(CapacityPages);
        _tracker.Collect(changed);
        return [.. Range(0, CapacityPages).Where(changed.Contains)];
    }

    private static string Text(long[] pages) =>
        pages.Length > 40 ? $"{pages.Length} pages from {pages[0]} to {pages[^1]}" : string.Join(", ", pages);
}
