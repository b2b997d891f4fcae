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

    /// <summary>Whether its pages are frozen where they are: what is reported is spans of them.</summary>
    internal bool IsFrozen => _tracker.Mechanism == TrackingMechanism.ServedWriteProtect;

    internal override void MoveDroppedTo(PageBitmap changed)
    {
    }

    /// <summary>
    /// Collects, and expects exactly these pages, numbered from the first byte; where it is frozen these
    /// among others, if any.
    /// </summary>
    internal void Expect(params IEnumerable<long> pages)
    {
        long[] found = Collect(), expected = [.. pages.Distinct().Order()];
        if (IsFrozen && expected.Length > 0 && expected.Except(found).Any() is false) return;
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
        if (!(IsWatched || IsFrozen) || whole < 0) return [offset >> Pages.Shift];
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
        if (_tracker is BufferTracker { Frozen: { } content }) ExpectDelivered(content, changed);
        return [.. Range(0, CapacityPages).Where(changed.Contains)];
    }

    /// <summary>What is frozen is delivered as it is, each page of a span once.</summary>
    private void ExpectDelivered(IFreezing content, PageBitmap pages)
    {
        content.Freeze(pages);
        List<long> spans = [];
        for (long at = 0; pages.NextRun(at, out PageRange run); at = run.End)
            spans.AddRange(Range(run.Start, run.Count).Select(page => SpanOf(content, page)));
        foreach (long span in content.InDrainOrder([.. spans.Distinct()]))
        {
            long end = ((span + 1) * FreezingTracker.SpanPages) - content.FirstInSpan;
            for (long at = Math.Max(0, end - FreezingTracker.SpanPages);
                pages.NextRun(at, out PageRange run) && run.Start < end; at = Math.Min(run.End, end))
                ExpectDelivered(content, new PageRange(run.Start, Math.Min(run.End, end) - run.Start));
        }

        content.Thaw();

        // The look gave memory to those that had none, and each of these is reported once.
        using PageBitmap looked = new(CapacityPages);
        _tracker.Collect(looked);
        looked.ExceptWith(pages);
        if (looked.Count() > 0) throw new InvalidOperationException("Broken promise: more was reported.");
    }

    private void ExpectDelivered(IFreezing content, PageRange pages)
    {
        Span<byte> target = new byte[Pages.Bytes(pages.Count)];
        content.Read(pages, target);
        long first = Pages.Bytes(pages.Start);
        int bytes = (int)Math.Min(target.Length, CommittedBytes - first);
        int same = target.CommonPrefixLength(new ReadOnlySpan<byte>(Address + first, bytes));
        if (same != bytes || target[bytes..].ContainsAnyExcept((byte)0))
            throw new InvalidOperationException($"Broken promise: byte {first + same} is delivered wrong.");
    }

    private static long SpanOf(IFreezing content, long page) =>
        (page + content.FirstInSpan) / FreezingTracker.SpanPages;

    private static string Text(long[] pages) =>
        pages.Length > 40 ? $"{pages.Length} pages from {pages[0]} to {pages[^1]}" : string.Join(", ", pages);
}
