using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Memory that is in the image: an arena, or a buffer the user protects. What tracking and capture need to
/// know of it.
/// </summary>
internal abstract unsafe class MemoryRegion
{
    /// <summary>The name, unique in its session.</summary>
    internal abstract string RegionName { get; }

    /// <summary>The first byte, page-aligned for an arena; any address for a buffer.</summary>
    internal abstract byte* Address { get; }

    /// <summary>
    /// Pages that may be accessed now; grows, never shrinks. The last page of a buffer may be partial.
    /// </summary>
    internal abstract long CommittedPages { get; }

    /// <summary>
    /// Bytes that may be accessed now. A buffer whose last page is partial overrides this; nobody reads past
    /// it.
    /// </summary>
    internal virtual long CommittedBytes => Pages.Bytes(CommittedPages);

    /// <summary>
    /// Pages the region may ever have. Fixed; the capacity of every <see cref="PageBitmap"/> about this
    /// region.
    /// </summary>
    internal abstract long CapacityPages { get; }

    /// <summary>
    /// What must be asked before content of the region is discarded, or null. Set by whoever captures it, at
    /// any time at which none of its pages is frozen.
    /// </summary>
    internal IFrozenPages? Frozen
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>The pages that are open for devices; of memory other than an arena's, none.</summary>
    internal DevicePages Devices { get; } = new();

    /// <summary>
    /// Moves to <paramref name="changed"/> the pages whose content was dropped (freed, excluded, included
    /// again) since the last call. No mechanism sees a drop, so the region reports it. May run against
    /// threads that drop pages: a page is reported after its content is gone, at the latest by the next call.
    /// </summary>
    internal abstract void MoveDroppedTo(PageBitmap changed);

    /// <summary>
    /// Adds the pages that no image has the content of: scratch memory, and guards, which nobody may even
    /// read. Allocates no managed memory.
    /// </summary>
    internal virtual void MarkExcluded(PageBitmap into)
    {
    }
}
