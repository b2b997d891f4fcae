using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// What one region contributes to a checkpoint: its changed pages, found, staged, written out, and afterwards settled
/// or given back.
/// </summary>
/// <remarks>
/// <para>A page moves one way: tracker → <c>changed</c> → a staging slot → the image. Per checkpoint the calls are
/// <see cref="PreCopyRound"/> (any number of times, against writers), <see cref="Collect"/> and <see cref="Stage"/>
/// (nobody writes), <see cref="WriteTo"/> (against writers), then exactly one of <see cref="Settle"/> and
/// <see cref="GiveBack"/>.</para>
/// <para>Invariants. (1) A page in <c>changed</c> that is neither free nor excluded has a slot with its content of the
/// moment of capture once <see cref="Stage"/> returned: it was staged after it was last collected, and the
/// last collect was made while nobody wrote. (2) The hash of a page is that of its content in the newest committed
/// image, or unknown; while an image is being written it may run ahead, which is why <see cref="GiveBack"/> forgets it.
/// (3) A page outside <c>changed</c> is in the parent image as it is in memory.</para>
/// <para>Used by the checkpoint thread alone.</para>
/// </remarks>
internal sealed unsafe class RegionCapture : IDisposable
{
    private readonly int _id;
    private readonly MemoryRegion _region;
    private readonly Arena? _arena;
    private readonly DirtyTracker _tracker;
    private readonly PageHashes _hashes;
    private readonly StagingArea _staging;

    private readonly PageBitmap _changed;
    private readonly PageBitmap _recent;
    private readonly PageBitmap _staged;
    private readonly PageBitmap _pending;
    private readonly PageBitmap _free;
    private readonly PageBitmap _excluded;

    // Per page the slot it is staged in; meaningful for members of _staged only.
    private uint* _slots;

    // Pages that the newest committed image describes; a page beyond it has no parent to refer to.
    private long _parentPages;
    private long _capturedPages;

    /// <param name="id">The id of the region, the same in every image of a chain.</param>
    /// <param name="region">What to capture.</param>
    /// <param name="arena">The arena behind the region, or null for a protected buffer.</param>
    /// <param name="tracker">Tells the changed pages of the region; owned from here on.</param>
    /// <param name="hashes">Content hashes of the newest committed image; owned from here on.</param>
    /// <param name="staging">Where pages are staged; shared.</param>
    /// <param name="parentPages">Pages of the region in the newest committed image, 0 when it is not in it.</param>
    internal RegionCapture(
        int id, MemoryRegion region, Arena? arena, DirtyTracker tracker, PageHashes hashes, StagingArea staging,
        long parentPages)
    {
        _id = id;
        _region = region;
        _arena = arena;
        _tracker = tracker;
        _hashes = hashes;
        _staging = staging;
        _parentPages = parentPages;
        _changed = new PageBitmap(region.CapacityPages);
        _recent = new PageBitmap(region.CapacityPages);
        _staged = new PageBitmap(region.CapacityPages);
        _pending = new PageBitmap(region.CapacityPages);
        _free = new PageBitmap(region.CapacityPages);
        _excluded = new PageBitmap(region.CapacityPages);
        _slots = (uint*)NativeMemory.AllocZeroed((nuint)region.CapacityPages, sizeof(uint));
    }

    internal int Id => _id;

    /// <summary>The arena, or null for a protected buffer.</summary>
    internal Arena? Arena => _arena;

    internal DirtyTracker Tracker => _tracker;

    /// <summary>The region as captured.</summary>
    internal RegionDescription Describe() => new(
        _id,
        _region.RegionName,
        _arena is null ? RegionKind.Buffer : RegionKind.Arena,
        (ulong)_region.Address,
        _capturedPages,
        _arena?.Capacity ?? _region.CommittedBytes,
        _arena is null ? _region.CommittedBytes : Pages.Bytes(_capturedPages),
        _arena?.HugePages ?? false);

    /// <summary>Pages that the tracker reported for this checkpoint.</summary>
    internal long TrackedPages => _changed.Count();

    /// <summary>Pages written since the last collect, as an estimate, without collecting them.</summary>
    internal long CountChanged() => _tracker.CountChanged();

    /// <summary>
    /// Collects what was written since the last collect and stages it, while the application may write on.
    /// </summary>
    /// <remarks>
    /// A page may change while it is copied: then it was written after it was collected, so the next collect reports it
    /// and it is staged again. Free and excluded pages are left out; one that was allocated and written between the
    /// look at the allocator and the collect is in <c>changed</c> without a slot and is staged in <see cref="Stage"/>.
    /// </remarks>
    internal void PreCopyRound()
    {
        LookAtAllocation();
        CollectRecent();
        _pending.Clear();
        _pending.UnionWith(_recent);
        StageAll(_recent);

        // What was left out may have a slot of an earlier round, with a content from before it was freed or excluded.
        // Should it be allocated again and not be written, no later collect reports it: the slot must not stand for it.
        _pending.ExceptWith(_recent);
        _staged.ExceptWith(_pending);
    }

    /// <summary>
    /// Takes the set of changed pages, and what is free and excluded, while nobody writes. No managed allocation.
    /// </summary>
    internal void Collect()
    {
        CollectRecent();
        LookAtAllocation();
        _capturedPages = _region.CommittedPages;
    }

    /// <summary>
    /// Stages what <see cref="Collect"/> found, and what no earlier round staged. No managed allocation.
    /// </summary>
    internal void Stage()
    {
        _pending.Clear();
        _pending.UnionWith(_changed);
        _pending.ExceptWith(_staged);
        _pending.UnionWith(_recent);
        StageAll(_pending);
    }

    /// <summary>
    /// Writes the region to an image: every page as present, zero, excluded or in the parent, as its content tells.
    /// </summary>
    internal void WriteTo(ImageWriter writer, PageTally tally, CancellationToken cancellation)
    {
        writer.BeginRegion(Describe());
        long at = 0;
        for (; _changed.NextRun(at, out PageRange run); at = run.End)
        {
            cancellation.ThrowIfCancellationRequested();
            AppendUntouched(writer, at, run.Start);
            AppendRun(writer, run, tally);
            tally.Seen(run.Count);
        }

        AppendUntouched(writer, at, _capturedPages);
    }

    /// <summary>The image is committed: it is what the next one refers to.</summary>
    internal void Settle()
    {
        _parentPages = _capturedPages;
        Forget();
    }

    /// <summary>The checkpoint failed: the next one must contain what this one had found.</summary>
    internal void GiveBack()
    {
        _tracker.GiveBack(_changed);
        _hashes.Forget(_changed);
        Forget();
    }

    public void Dispose()
    {
        _tracker.Dispose();
        _hashes.Dispose();
        _changed.Dispose();
        _recent.Dispose();
        _staged.Dispose();
        _pending.Dispose();
        _free.Dispose();
        _excluded.Dispose();
        NativeMemory.Free(_slots);
        _slots = null;
    }

    private void CollectRecent()
    {
        _recent.Clear();
        _tracker.Collect(_recent);
        _changed.UnionWith(_recent);
    }

    private void LookAtAllocation()
    {
        if (_arena is null) return;
        _free.Clear();
        _excluded.Clear();
        using Lock.Scope scope = _arena.Freeze();
        _arena.MarkFree(_free);
        _arena.MarkExcluded(_excluded);
    }

    // Optimized at once, as the passes of PageBitmap are: it runs inside the pause.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void StageAll(PageBitmap pages)
    {
        pages.ExceptWith(_free);
        pages.ExceptWith(_excluded);
        for (long at = 0; pages.NextRun(at, out PageRange run); at = run.End)
        {
            for (long page = run.Start; page < run.End; page++) StagePage(page);
        }
    }

    private void StagePage(long page)
    {
        if (!_staged.Contains(page))
        {
            long slot = _staging.Take();
            if (slot < 0) ThrowStagingFull();
            _slots[page] = (uint)slot;
            _staged.Add(new PageRange(page, 1));
        }

        long bytes = Math.Min(Pages.Size, _region.CommittedBytes - Pages.Bytes(page));
        _staging.Copy(_region.Address + Pages.Bytes(page), bytes, _slots[page]);
    }

    private void ThrowStagingFull() => throw new SnapshotException(
        SnapshotErrorCode.StagingFull,
        $"The pages changed in '{_region.RegionName}' do not fit the staging area, of which " +
        $"{Pages.Bytes(_staging.Used)} bytes are in use. Raise SnapshotOptions.StagingLimit, take checkpoints more " +
        "often, or exclude scratch memory. Nothing was lost: the next checkpoint contains these pages.");

    /// <summary>Pages that did not change: as in the parent, or never written since the region began.</summary>
    private void AppendUntouched(ImageWriter writer, long start, long end)
    {
        long known = Math.Clamp(_parentPages, start, end);
        if (known > start) writer.Append(ExtentKind.InParent, known - start);
        if (end > known) writer.Append(ExtentKind.Zero, end - known);
    }

    private void AppendRun(ImageWriter writer, PageRange run, PageTally tally)
    {
        for (long page = run.Start; page < run.End; page++)
        {
            bool excluded = _excluded.Contains(page);
            if (excluded || _free.Contains(page))
            {
                // Restores as zero, so zero is what a later content is compared with.
                writer.Append(excluded ? ExtentKind.Excluded : ExtentKind.Zero, 1);
                _hashes.Set(page, PageHashes.Zero);
                continue;
            }

            AppendContent(writer, page, tally);
        }
    }

    private void AppendContent(ImageWriter writer, long page, PageTally tally)
    {
        ReadOnlySpan<byte> content = new(_staging.Slot(_slots[page]), Pages.Size);
        bool same = _hashes.Matches(page, content, out UInt128 hash);
        if (same && page < _parentPages)
        {
            writer.Append(ExtentKind.InParent, 1);
            return;
        }

        // Zeros where nothing is known of the page are most often memory that was populated and never written: they
        // take no room in the image, and do not count as a change.
        bool isZero = hash == PageHashes.Zero;
        if (!isZero || _hashes.IsKnown(page)) tally.Changed++;
        if (isZero) writer.Append(ExtentKind.Zero, 1);
        else writer.AppendPages(content, ElementSizeAt(page));
        _hashes.Set(page, hash);
    }

    private int ElementSizeAt(long page)
    {
        if (_arena is null) return 0;
        using Lock.Scope scope = _arena.Freeze();
        return _arena.ElementSizeAt(page);
    }

    private void Forget()
    {
        _changed.Clear();
        _recent.Clear();
        _staged.Clear();
    }
}
