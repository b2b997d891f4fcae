using Snapshot.Base;

namespace Snapshot.Tracking;

/// <summary>
/// Pages of a region that are frozen where they lie, and read from there, or from the copy that a write made
/// necessary. None of the members waits for managed code.
/// </summary>
internal interface IFreezing
{
    /// <summary>The pages among which those are that the last collect added.</summary>
    public PageRange Collected { get; }

    /// <summary>Pages from the beginning of the first span to the region's first page.</summary>
    public long FirstInSpan { get; }

    /// <summary>
    /// These pages are wanted as they are now. After the collect that reported them; nobody writes. No
    /// managed allocation.
    /// </summary>
    /// <param name="wanted">The pages; it stays as it is until they are thawed.</param>
    /// <exception cref="SnapshotException">
    /// StagingFull: pages that somebody wrote all the same could not be copied.
    /// </exception>
    public void Freeze(PageBitmap wanted);

    /// <summary>
    /// Copies pages of one span to <paramref name="target"/> as they were when they were frozen, and lets
    /// them go: a page can be read once. A page that had no memory then is zero.
    /// </summary>
    /// <exception cref="SnapshotException">StagingFull; MemoryGone.</exception>
    public void Read(PageRange pages, Span<byte> target);

    /// <summary>
    /// Spans in the order in which they had better be read: as they were first written between the last two
    /// collects, but for what copies of them have to do with it (<see cref="DrainOrder"/>).
    /// </summary>
    /// <param name="spans">The spans, ascending; reordered.</param>
    public IEnumerable<long> InDrainOrder(List<long> spans);

    /// <summary>Nothing is wanted any more.</summary>
    public void Thaw();
}
