using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>Pages of one region that are kept by copying them to slots of the staging area.</summary>
/// <remarks>
/// Invariant: a wanted page is staged with its content of the moment of capture once <see cref="Hold"/>
/// returned, for it was copied after it was last collected, and the last collect was made while nobody wrote.
/// No managed allocation after construction.
/// </remarks>
internal sealed unsafe class StagedPages : IRegionPages, IScanWork
{
    // Of more than a quarter of the pages most are as they were: everything counts as written once where
    // tracking begins anew.
    private const int MostPart = 4;

    /// <summary>8 MiB: of fewer, one thread has copied them before a second one has woken up.</summary>
    private const long ManyPages = 2048;

    /// <summary>Pages of a piece that is copied by one thread.</summary>
    private const long PiecePages = 4096;

    private readonly MemoryRegion _region;
    private readonly Arena? _arena;
    private readonly StagingArea _staging;
    private readonly PageBitmap _pages;

    // What the last collect reported: a slot that such a page has is of before.
    private readonly PageBitmap _recent;
    private readonly PageBitmap _rest;
    private PageBitmap? _copied;

    // Per page the slot it is staged in; meaningful for members of _pages only.
    private readonly SparseMemory _table;
    private uint* _slots;

    /// <param name="region">What to capture.</param>
    /// <param name="arena">The arena behind the region, or null for a protected buffer.</param>
    /// <param name="tracker">Owned from here on, but if this throws.</param>
    /// <param name="staging">Where pages are staged; shared.</param>
    internal StagedPages(MemoryRegion region, Arena? arena, DirtyTracker tracker, StagingArea staging)
    {
        _region = region;
        _arena = arena;
        _staging = staging;
        _table = new SparseMemory(region.CapacityPages * sizeof(uint), "the slots of staged pages");
        _slots = (uint*)_table.Address;
        _pages = new PageBitmap(region.CapacityPages);
        _recent = new PageBitmap(region.CapacityPages);
        _rest = new PageBitmap(region.CapacityPages);
        Tracker = tracker;
    }

    public DirtyTracker Tracker { get; }

    /// <summary>Collects what may be copied now and stages it.</summary>
    /// <remarks>
    /// A page may change while it is copied: then it was written after it was collected, so the next collect
    /// reports it and it is staged again. Free and excluded pages are left out; one that was allocated and
    /// written between the look at the allocator and the collect is in <paramref name="changed"/> without a
    /// slot and is staged in <see cref="Hold"/>.
    /// </remarks>
    public void Prepare(
        PageBitmap changed, PageBitmap free, PageBitmap excluded, PageHashes hashes, long parentPages)
    {
        _recent.Clear();
        Tracker.CollectEarly(_recent);
        changed.UnionWith(_recent);
        _rest.Clear();
        _rest.UnionWith(_recent);
        _recent.ExceptWith(free);
        _recent.ExceptWith(excluded);

        // Devices may write these after they were copied: the pause copies them, whatever was done before.
        _region.Devices.RemoveFrom(_recent);
        if (_recent.Count() > _region.CommittedPages / MostPart) Sift(changed, hashes, parentPages);
        Stage(_recent);

        // What was left out may have a slot of an earlier round, with a content from before it was freed or
        // excluded. Should it be allocated again and not be written, no later collect reports it: the slot
        // must not stand for it.
        _rest.ExceptWith(_recent);
        _pages.ExceptWith(_rest);
    }

    public PageRange Collect(PageBitmap changed)
    {
        _recent.Clear();
        Tracker.Collect(_recent);
        changed.UnionWith(_recent);
        return new PageRange(0, _region.CommittedPages);
    }

    /// <summary>Stages what no earlier round staged, or was written since.</summary>
    public void Hold(PageBitmap wanted)
    {
        // Good is what has a slot and was not written since it was copied there.
        _rest.Clear();
        _rest.UnionWith(_pages);
        _rest.ExceptWith(_recent);
        _recent.Clear();
        _recent.UnionWith(wanted);
        _recent.ExceptWith(_rest);
        Stage(_recent);
    }

    public void Write(RegionDraft draft)
    {
        // Pages are in the page stream itself.
    }

    public void Append(RegionDraft draft, PageRange pages)
    {
        for (long page = pages.Start; page < pages.End; page++)
        {
            ReadOnlySpan<byte> content = new(_staging.Slot(_slots[page]), Pages.Size);
            ExtentKind kind = draft.Judge.Judge(page, content, out PageHash hash);
            if (kind == ExtentKind.Present)
                draft.Writer.AppendPages(content, _arena?.ElementSizeHint(page) ?? 0, hash);
            else draft.Writer.Append(kind, 1);
        }

        draft.Tally.Seen(pages.Count);
    }

    public void AppendInherited(RegionDraft draft, InheritedPages inherited, PageRange pages) =>
        inherited.Append(draft.Writer, pages, draft.Cancellation);

    /// <summary>The slots are returned by <see cref="StagingArea.ReturnAll"/>.</summary>
    public void LetGo()
    {
        _pages.Clear();
        _recent.Clear();
    }

    public DirtyTracker Detach()
    {
        _pages.Dispose();
        _recent.Dispose();
        _rest.Dispose();
        _table.Dispose();
        _slots = null;
        return Tracker;
    }

    public void Dispose() => Detach().Dispose();

    /// <summary>Copies the pages of one piece.</summary>
    void IScanWork.Do(int piece, PageScan scan) =>
        Copy(_copied!, new PageRange(piece * PiecePages, PiecePages));

    /// <summary>
    /// Copies pages as they are now, all who may help at once; one that has a slot keeps it.
    /// </summary>
    /// <exception cref="SnapshotException">StagingFull.</exception>
    // Optimized at once, as the passes of PageBitmap are: it runs inside the pause.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Stage(PageBitmap pages)
    {
        long count = 0;
        for (long at = 0; pages.NextRun(at, out PageRange run); at = run.End)
        {
            count += run.Count;
            for (long page = run.Start; page < run.End; page++)
            {
                if (!_pages.Contains(page)) TakeSlot(page);
            }
        }

        _staging.WillCopy(count);
        if (count < ManyPages || _staging.Crew is not { Size: > 1 } crew)
        {
            Copy(pages, new PageRange(0, _region.CommittedPages));
            return;
        }

        // Nobody looks at page tables for it.
        _copied = pages;
        crew.Run(this, (int)((_region.CommittedPages + PiecePages - 1) / PiecePages), own: null!);
        _copied = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Copy(PageBitmap pages, PageRange among)
    {
        long committed = _region.CommittedBytes;
        long at = among.Start;
        for (; pages.NextRun(at, out PageRange run) && run.Start < among.End; at = run.End)
        {
            for (long page = run.Start; page < Math.Min(run.End, among.End); page++)
            {
                long bytes = Math.Min(Pages.Size, committed - Pages.Bytes(page));
                StagingArea.Copy(_region.Address + Pages.Bytes(page), bytes, _staging.Slot(_slots[page]));
            }
        }
    }

    private void TakeSlot(long page)
    {
        long slot = _staging.Take();
        if (slot < 0) ThrowStagingFull();
        _slots[page] = (uint)slot;
        _pages.Add(new PageRange(page, 1));
    }

    /// <summary>
    /// Leaves out pages whose content is that of the newest image, instead of making room for copies of them.
    /// </summary>
    /// <remarks>
    /// Each was collected before it is looked at, which armed it: a write that the look did not see is in the
    /// next collect. So a page that is left out either is as in the image at the capture, or is reported
    /// again.
    /// </remarks>
    private void Sift(PageBitmap changed, PageHashes hashes, long parentPages)
    {
        if (_arena is null) return;
        for (long at = 0; _recent.NextRun(at, out PageRange run) && run.Start < parentPages; at = run.End)
        {
            for (long page = run.Start; page < Math.Min(run.End, parentPages); page++)
            {
                ReadOnlySpan<byte> content = new(_region.Address + Pages.Bytes(page), Pages.Size);
                if (!hashes.Matches(page, content, out _)) continue;
                _recent.Remove(new PageRange(page, 1));
                changed.Remove(new PageRange(page, 1));
            }
        }
    }

    private void ThrowStagingFull() => throw new SnapshotException(
        SnapshotErrorCode.StagingFull,
        $"The copies of pages that changed in '{_region.RegionName}' do not fit into the staging area: " +
        $"{_staging.Fullness}, take checkpoints more often, or exclude scratch memory. Nothing is lost: " +
        "the next checkpoint contains these pages.");
}
