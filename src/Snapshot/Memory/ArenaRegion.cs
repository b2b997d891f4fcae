using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>An arena as tracking and capture see it: its pages, and which of them were dropped.</summary>
internal sealed unsafe class ArenaRegion(AddressSpace space) : MemoryRegion, IDisposable
{
    private readonly PageBitmap _dropped = new(space.CapacityPages);
    private int _anyDropped;

    internal override string RegionName => space.Name;

    internal override byte* Address => space.Base;

    internal override long CommittedPages => space.CommittedPages;

    internal override long CapacityPages => space.CapacityPages;

    /// <summary>Whether the byte is in the committed part.</summary>
    internal bool Contains(void* pointer) =>
        pointer >= space.Base && pointer < space.Base + Pages.Bytes(space.CommittedPages);

    /// <summary>What is still to come from an image, or null; set before anybody uses the region.</summary>
    internal IAwaitedPages? Awaited { get; set; }

    /// <summary>The arena, which knows what of it is excluded.</summary>
    internal Arena? Arena { get; init; }

    /// <inheritdoc/>
    internal override void MarkExcluded(PageBitmap into)
    {
        if (Arena is null) return;
        using Lock.Scope scope = Arena.LockTables();
        Arena.MarkExcluded(into);
    }

    /// <summary>Discards pages and reports them.</summary>
    internal void Drop(PageRange range)
    {
        Awaited?.Forget(range);
        Frozen?.Secure(range);
        space.Discard(range);
        Awaited?.Discarded(range);
        Note(range);
    }

    /// <summary>
    /// Reports pages as changed in a way that no tracking sees. They are there afterwards: what is reported
    /// is captured as it is in memory, not as it is in an older image.
    /// </summary>
    internal void Report(PageRange range)
    {
        if (range.Count == 0) return;
        Awaited?.Fetch(range);
        Note(range);
    }

    /// <summary>
    /// From the return on pages are neither armed nor frozen, and what was frozen of them is safe.
    /// </summary>
    /// <returns>False: the region is about to go.</returns>
    /// <exception cref="SnapshotException">
    /// Corrupt, StoreIo: pages of a lazy restart cannot be read.
    /// </exception>
    internal bool OpenForDevices(PageRange range)
    {
        // A device that pins a page that is still to come would wait, or fail.
        Awaited?.Fetch(range);
        using Lock.Scope held = Devices.Hold();
        if (!Devices.TryAdd(range, CapacityPages)) return false;
        Frozen?.Open(range);
        return true;
    }

    /// <summary>They count as written, and are armed by the next collect.</summary>
    internal void CloseForDevices(PageRange range)
    {
        using Lock.Scope held = Devices.Hold();
        if (Devices.Remove(range)) Note(range);
    }

    private void Note(PageRange range)
    {
        if (range.Count == 0) return;
        _dropped.AddShared(range);
        Volatile.Write(ref _anyDropped, 1);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The flag spares a walk through a bit for every page of the capacity where nothing was dropped. It is
    /// taken down before the bits are, and put up after they are: a bit that is missed has its flag still to
    /// come.
    /// </remarks>
    internal override void MoveDroppedTo(PageBitmap changed)
    {
        if (Interlocked.Exchange(ref _anyDropped, 0) != 0) _dropped.MoveSharedTo(changed);
    }

    public void Dispose()
    {
        space.Dispose();
        _dropped.Dispose();
    }
}
