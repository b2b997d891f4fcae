using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Memory;

namespace Snapshot.Checkpoint;

/// <summary>Pages of one region that were copied to slots of the staging area.</summary>
/// <remarks>Used by the checkpoint thread alone. No managed allocation after construction.</remarks>
internal sealed unsafe class StagedPages : IDisposable
{
    private readonly MemoryRegion _region;
    private readonly StagingArea _staging;
    private readonly PageBitmap _pages;

    // Per page the slot it is staged in; meaningful for members of _pages only.
    private readonly SparseMemory _table;
    private uint* _slots;

    internal StagedPages(MemoryRegion region, StagingArea staging)
    {
        _region = region;
        _staging = staging;
        _pages = new PageBitmap(region.CapacityPages);
        _table = new SparseMemory(region.CapacityPages * sizeof(uint), "the slots of staged pages");
        _slots = (uint*)_table.Address;
    }

    /// <summary>Which pages have a slot.</summary>
    internal PageBitmap Members => _pages;

    /// <summary>The content of a staged page.</summary>
    internal ReadOnlySpan<byte> Content(long page) => new(_staging.Slot(_slots[page]), Pages.Size);

    /// <summary>Copies pages as they are now; one that has a slot keeps it.</summary>
    /// <exception cref="SnapshotException">StagingFull.</exception>
    // Optimized at once, as the passes of PageBitmap are: it runs inside the pause.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Stage(PageBitmap pages)
    {
        for (long at = 0; pages.NextRun(at, out PageRange run); at = run.End)
        {
            for (long page = run.Start; page < run.End; page++) Stage(page);
        }
    }

    /// <summary>The slots are returned.</summary>
    internal void Clear() => _pages.Clear();

    public void Dispose()
    {
        _pages.Dispose();
        _table.Dispose();
        _slots = null;
    }

    private void Stage(long page)
    {
        if (!_pages.Contains(page))
        {
            long slot = _staging.Take();
            if (slot < 0) ThrowStagingFull();
            _slots[page] = (uint)slot;
            _pages.Add(new PageRange(page, 1));
        }

        long bytes = Math.Min(Pages.Size, _region.CommittedBytes - Pages.Bytes(page));
        _staging.Copy(_region.Address + Pages.Bytes(page), bytes, _slots[page]);
    }

    private void ThrowStagingFull() => throw new SnapshotException(
        SnapshotErrorCode.StagingFull,
        $"The pages changed in '{_region.RegionName}' do not fit the staging area, of which " +
        $"{Pages.Bytes(_staging.Used)} bytes are in use. Raise SnapshotOptions.StagingLimit, take checkpoints " +
        "more often, or exclude scratch memory. Nothing was lost: the next checkpoint contains these pages.");
}
