using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// What one region contributes to a checkpoint: its changed pages, found, held as they are at the capture, written out,
/// and afterwards settled or given back.
/// </summary>
/// <remarks>
/// <para>A page moves one way: tracker → <c>changed</c> → held (a staged copy, or frozen in place) → the image. Per
/// checkpoint the calls are <see cref="Choose"/>, <see cref="PreCopyRound"/> (any number of times, against writers),
/// <see cref="Collect"/> and <see cref="Hold"/> (nobody writes), <see cref="WriteTo"/> (against writers), then
/// exactly one of <see cref="Settle"/> and <see cref="GiveBack"/>.</para>
/// <para>Invariants. (1) A page in <c>changed</c> that is neither free nor excluded is held with its content of the
/// moment of capture once <see cref="Hold"/> returned. Staged: it was copied after it was last collected, and the last
/// collect was made while nobody wrote. Frozen: see freeze.c. (2) The hash of a page is that of its content in the
/// newest committed image, or unknown; while an image is being written it may run ahead, which is why
/// <see cref="GiveBack"/> forgets it. (3) A page outside <c>changed</c> is in the parent image as it is in
/// memory.</para>
/// <para>Used by the checkpoint thread alone.</para>
/// </remarks>
internal sealed unsafe class RegionCapture : IDisposable
{
    private readonly int _id;
    private readonly MemoryRegion _region;
    private readonly Arena? _arena;
    private readonly PageHashes _hashes;
    private readonly StagedPages _staged;
    private DirtyTracker _tracker;
    private FrozenPages? _frozen;

    private readonly PageBitmap _changed;
    private readonly PageBitmap _recent;

    // Between Hold and the end of the checkpoint: what is held of this region.
    private readonly PageBitmap _pending;
    private readonly PageBitmap _free;
    private readonly PageBitmap _excluded;

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
    /// <param name="policy">Chooses among the modes.</param>
    internal RegionCapture(
        int id, MemoryRegion region, Arena? arena, DirtyTracker tracker, PageHashes hashes, StagingArea staging,
        long parentPages, CapturePolicy policy)
    {
        Policy = policy;
        _id = id;
        _region = region;
        _arena = arena;
        _hashes = hashes;
        _parentPages = parentPages;
        _staged = new StagedPages(region, staging);
        _changed = new PageBitmap(region.CapacityPages);
        _recent = new PageBitmap(region.CapacityPages);
        _pending = new PageBitmap(region.CapacityPages);
        _free = new PageBitmap(region.CapacityPages);
        _excluded = new PageBitmap(region.CapacityPages);
        _tracker = tracker;
        _frozen = FrozenBy(tracker);
    }

    internal int Id => _id;

    internal MemoryRegion Region => _region;

    /// <summary>The arena, or null for a protected buffer.</summary>
    internal Arena? Arena => _arena;

    internal DirtyTracker Tracker => _tracker;

    /// <summary>Chooses among the modes; what it is told counts from the next checkpoint on.</summary>
    internal CapturePolicy Policy { get; }

    /// <summary>How the running checkpoint captures the region.</summary>
    internal CaptureChoice Choice { get; private set; }

    /// <summary>Whether its changed pages are read from where they lie.</summary>
    internal bool IsFreezing => _frozen is not null;

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

    /// <summary>How many of them the newest committed image has, too, at most.</summary>
    internal long OverwrittenPages => Math.Min(TrackedPages, _parentPages);

    /// <summary>Pages written since the last collect, as an estimate, without collecting them.</summary>
    internal long CountChanged() => _tracker.CountChanged();

    /// <summary>Decides how this checkpoint captures the region, and gives it the tracker for that.</summary>
    /// <param name="choice">What the policy says.</param>
    /// <param name="trackers">Makes trackers.</param>
    /// <param name="cancellation">Ends the making of huge pages.</param>
    internal void Choose(CaptureChoice choice, TrackerFactory trackers, CancellationToken cancellation)
    {
        Choice = choice;
        if (choice.Mode == CaptureMode.CopyOnWrite == IsFreezing && _tracker is not UntrackedMemory) return;
        Exchange(choice.Mode == CaptureMode.CopyOnWrite ? Freezing : () => trackers.CreateForArena(_region), trackers);

        DirtyTracker Freezing()
        {
            // It is for whole huge pages; those that another way of tracking has split come back here.
            double huge = trackers.HugePart(_region);
            if (huge < 1)
            {
                _arena!.CollapseToHugePages(cancellation);
                huge = trackers.HugePart(_region);
            }

            Policy.Collapsed(huge);
            return trackers.CreateFreezing(_region);
        }
    }

    /// <summary>
    /// Collects what was written since the last collect and stages it, while the application may write on.
    /// </summary>
    /// <remarks>
    /// A page may change while it is copied: then it was written after it was collected, so the next collect reports it
    /// and it is staged again. Free and excluded pages are left out; one that was allocated and written between the
    /// look at the allocator and the collect is in <c>changed</c> without a slot and is staged in <see cref="Hold"/>.
    /// </remarks>
    internal void PreCopyRound()
    {
        LookAtAllocation();
        CollectRecent();
        _pending.Clear();
        _pending.UnionWith(_recent);
        LeaveOut(_recent);
        _staged.Stage(_recent);

        // What was left out may have a slot of an earlier round, with a content from before it was freed or excluded.
        // Should it be allocated again and not be written, no later collect reports it: the slot must not stand for it.
        _pending.ExceptWith(_recent);
        _staged.Members.ExceptWith(_pending);
    }

    /// <summary>
    /// Takes the set of changed pages, and what is free and excluded, while nobody writes. No managed allocation.
    /// </summary>
    internal void Collect()
    {
        // Which pages came last matters to what is staged only.
        if (_frozen is null) CollectRecent();
        else _tracker.Collect(_changed);
        LookAtAllocation();
        _capturedPages = _region.CommittedPages;
    }

    /// <summary>
    /// Sees to it that what <see cref="Collect"/> found can be read as it is now: freezes it, or stages what no earlier
    /// round staged. No managed allocation.
    /// </summary>
    internal void Hold()
    {
        _pending.Clear();
        _pending.UnionWith(_changed);
        if (_frozen is null)
        {
            _pending.ExceptWith(_staged.Members);
            _pending.UnionWith(_recent);
        }

        LeaveOut(_pending);
        if (_frozen is null) _staged.Stage(_pending);
        else _frozen.Hold(_pending);
    }

    /// <summary>
    /// Writes the region to an image: every page as present, zero, excluded or in the parent, as its content tells.
    /// </summary>
    /// <param name="writer">The image.</param>
    /// <param name="chain">Where it takes over what did not change; null: it refers to its parent for that.</param>
    /// <param name="tally">Counts pages.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal void WriteTo(
        ImageWriter writer, Lazy<ChainPages>? chain, PageTally tally, CancellationToken cancellation)
    {
        writer.BeginRegion(Describe());
        InheritedPages? inherited =
            chain is null ? null : new InheritedPages(chain, _id, Math.Min(_parentPages, _capturedPages));
        PageJudge judge = new(_hashes, _parentPages, inherited is null, tally);

        // A first image, in which everything is new, says nothing of how memory is written.
        CapturePolicy? policy = _parentPages > 0 ? Policy : null;
        _frozen?.WriteUnits(_changed, _pending, inherited, writer, judge, tally, policy?.Grain, cancellation);
        long at = 0;
        for (; _changed.NextRun(at, out PageRange run); at = run.End)
        {
            cancellation.ThrowIfCancellationRequested();
            AppendUntouched(writer, inherited, new PageRange(at, run.Start - at), cancellation);
            for (long page = run.Start; page < run.End; page++) AppendPage(writer, page, judge);
            if (_frozen is null) tally.Seen(run.Count);
        }

        AppendUntouched(writer, inherited, new PageRange(at, _capturedPages - at), cancellation);
        policy?.Observe(judge.Changed, judge.BlocksChanged);
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
        _frozen?.Dispose();
        _tracker.Dispose();
        _hashes.Dispose();
        _staged.Dispose();
        _changed.Dispose();
        _recent.Dispose();
        _pending.Dispose();
        _free.Dispose();
        _excluded.Dispose();
    }

    /// <summary>
    /// Puts another tracker in the place of this one. The two cannot both have the memory, so between them writes are
    /// not seen: the new one, for which nothing is armed, reports all memory once, and content tells what changed.
    /// Where none can be had, all memory is reported until the next checkpoint's try; where this one cannot let go, it
    /// stays.
    /// </summary>
    private void Exchange(Func<DirtyTracker> create, TrackerFactory trackers)
    {
        _pending.Clear();
        _tracker.HandOver(_pending);
        _frozen?.Dispose();
        _frozen = null;
        DirtyTracker before = _tracker;
        _tracker = new UntrackedMemory(_region);
        before.Dispose();
        try
        {
            _tracker = create();
        }
        catch
        {
            FallBack(trackers);
            throw;
        }

        _tracker.GiveBack(_pending);
        _frozen = FrozenBy(_tracker);
    }

    /// <summary>Tracks as arenas are tracked as a rule, if that can be had; the caller has the first cause.</summary>
    private void FallBack(TrackerFactory trackers)
    {
        try
        {
            _tracker = trackers.CreateForArena(_region);
            _tracker.GiveBack(_pending);
        }
        catch (Exception error) when (error is SnapshotException or ObjectDisposedException or OutOfMemoryException)
        {
            // It stays untracked, which loses nothing.
        }
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

    private void LeaveOut(PageBitmap pages)
    {
        pages.ExceptWith(_free);
        pages.ExceptWith(_excluded);
    }

    /// <summary>Pages that did not change: as in the parent, or never written since the region began.</summary>
    private void AppendUntouched(
        ImageWriter writer, InheritedPages? inherited, PageRange pages, CancellationToken cancellation)
    {
        long known = Math.Clamp(_parentPages - pages.Start, 0, pages.Count);
        if (inherited is not null) inherited.Append(writer, new PageRange(pages.Start, known), _frozen, cancellation);
        else if (known > 0) writer.Append(ExtentKind.InParent, known);
        writer.Append(ExtentKind.Zero, pages.Count - known);
    }

    private void AppendPage(ImageWriter writer, long page, PageJudge judge)
    {
        bool excluded = _excluded.Contains(page);
        if (excluded || _free.Contains(page))
        {
            writer.Append(excluded ? ExtentKind.Excluded : ExtentKind.Zero, 1);
            judge.LeaveOut(page);
            return;
        }

        if (_frozen is not null)
        {
            _frozen.Append(writer, page);
            return;
        }

        ReadOnlySpan<byte> content = _staged.Content(page);
        ExtentKind kind = judge.Judge(page, content);
        if (kind == ExtentKind.Present) writer.AppendPages(content, _arena?.ElementSizeHint(page) ?? 0);
        else writer.Append(kind, 1);
    }

    private FrozenPages? FrozenBy(DirtyTracker tracker) =>
        tracker is FreezingTracker freezing ? new FrozenPages(_arena!, freezing) : null;

    private void Forget()
    {
        _frozen?.Clear();
        _staged.Clear();
        _changed.Clear();
        _recent.Clear();
    }
}
