using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// What one region contributes to a checkpoint: its changed pages, found, held as they are at the capture,
/// written out, and afterwards settled or given back.
/// </summary>
/// <remarks>
/// <para>A page moves one way: tracker → <c>changed</c> → held (a staged copy, or frozen in place) → the
/// image. Per checkpoint the calls are <see cref="Choose"/>, <see cref="Prepare"/> (any number of times,
/// against writers), <see cref="Collect"/> and <see cref="Hold"/> (nobody writes), <see cref="WriteTo"/>
/// (against writers), then exactly one of <see cref="Settle"/> and <see cref="GiveBack"/>.</para>
/// <para>Invariants. (1) A page in <c>changed</c> that is neither free nor excluded is <c>wanted</c>, and
/// held with its content of the moment of capture once <see cref="Hold"/> returned:
/// <see cref="IRegionPages"/> does it. (2) The hash of a page is that of its content in the newest committed
/// image, or unknown; while an image is being written it may run ahead, which is why <see cref="GiveBack"/>
/// forgets it. (3) A page outside <c>changed</c> is in the parent image as it is in memory.</para>
/// <para>Used by the checkpoint thread alone.</para>
/// </remarks>
internal sealed unsafe class RegionCapture : IDisposable
{
    private static readonly CaptureChoice s_stagedBuffer =
        new(CaptureMode.Stage, "what changed of a protected buffer is copied inside the pause");

    private static readonly CaptureChoice s_frozenBuffer = new(
        CaptureMode.CopyOnWrite, "most of the buffer is in huge pages, which are protected where they are");

    private readonly int _id;
    private readonly MemoryRegion _region;
    private readonly Arena? _arena;
    private readonly PageHashes _hashes;
    private readonly StagingArea _staging;
    private IRegionPages _pages;

    private readonly PageBitmap _changed;
    private readonly PageBitmap _wanted;
    private readonly PageBitmap _free;
    private readonly PageBitmap _excluded;

    // Pages that the newest committed image describes; a page beyond it has no parent to refer to.
    private long _parentPages;
    private long _capturedPages;

    // What the arena's pages were when they were looked at, and the part of the region where wanted is
    // behind.
    private long _pageChanges = -1;
    private PageRange _undecided;

    /// <param name="id">The id of the region, the same in every image of a chain.</param>
    /// <param name="region">What to capture.</param>
    /// <param name="arena">The arena behind the region, or null for a protected buffer.</param>
    /// <param name="tracker">
    /// Tells the changed pages of the region; owned from here on, but if this throws.
    /// </param>
    /// <param name="hashes">Content hashes of the newest committed image; owned likewise.</param>
    /// <param name="staging">Where pages are staged; shared.</param>
    /// <param name="parentPages">
    /// Pages of the region in the newest committed image, 0 when it is not in it.
    /// </param>
    /// <param name="policy">Chooses among the modes.</param>
    internal RegionCapture(
        int id, MemoryRegion region, Arena? arena, DirtyTracker tracker, PageHashes hashes,
        StagingArea staging,
        long parentPages, CapturePolicy policy)
    {
        Policy = policy;
        _id = id;
        _region = region;
        _arena = arena;
        _hashes = hashes;
        _staging = staging;
        _parentPages = parentPages;
        _changed = new PageBitmap(region.CapacityPages);
        _wanted = new PageBitmap(region.CapacityPages);
        _free = new PageBitmap(region.CapacityPages);
        _excluded = new PageBitmap(region.CapacityPages);
        _pages = PagesBy(tracker);
    }

    internal int Id => _id;

    internal MemoryRegion Region => _region;

    /// <summary>The arena, or null for a protected buffer.</summary>
    internal Arena? Arena => _arena;

    internal DirtyTracker Tracker => _pages.Tracker;

    /// <summary>Chooses among the modes; what it is told counts from the next checkpoint on.</summary>
    internal CapturePolicy Policy { get; }

    /// <summary>How the running checkpoint captures the region.</summary>
    internal CaptureChoice Choice { get; private set; }

    /// <summary>Whether its changed pages are read from where they lie.</summary>
    internal bool IsFreezing => _pages is FrozenPages;

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

    /// <summary>Whether it was captured, ever.</summary>
    internal bool WasCaptured { get; private set; }

    /// <summary>Pages that the tracker reported for this checkpoint.</summary>
    internal long TrackedPages => _changed.Count();

    /// <summary>How many of them the newest committed image has, too, at most.</summary>
    internal long OverwrittenPages => Math.Min(TrackedPages, _parentPages);

    /// <summary>Pages written since the last collect, as an estimate, without collecting them.</summary>
    internal long CountChanged() => Tracker.CountChanged();

    /// <summary>Those that devices may write: they are copied in the pause, and not before.</summary>
    internal long OpenPages => _region.Devices.Count;

    /// <summary>Tells the policy how the region is written now, where a look can tell it.</summary>
    internal void LookAtDensity()
    {
        if (Tracker is not FreezingTracker tracker || _parentPages == 0) return;

        // Nobody may take access to memory away meanwhile, which is excluded before.
        using Lock.Scope scope = _arena!.LockTables();
        _excluded.Clear();
        _arena.MarkExcluded(_excluded);
        (long pages, long spans) =
            DensitySample.Of(_region.Address, tracker, _hashes, _parentPages, _excluded);
        Policy.Observe(pages, spans);
    }

    /// <summary>Decides how this checkpoint captures the region, and gives it the tracker for that.</summary>
    /// <param name="choice">What the policy says.</param>
    /// <param name="trackers">Makes trackers.</param>
    /// <param name="cancellation">Ends the making of huge pages.</param>
    internal void Choose(CaptureChoice choice, TrackerFactory trackers, CancellationToken cancellation)
    {
        if (Tracker is BufferTracker buffer)
        {
            ChooseForBuffer(buffer);
            return;
        }

        Choice = choice;
        if (choice.Mode == CaptureMode.CopyOnWrite == IsFreezing && Tracker is not UntrackedMemory) return;
        Exchange(choice.Mode == CaptureMode.CopyOnWrite
            ? Freezing : () => trackers.CreateForArena(_region), trackers);

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
    /// Does what can be done before the pause: copies changed pages, where they are copied at all.
    /// </summary>
    internal void Prepare()
    {
        LookAtAllocation();
        _pages.Prepare(_changed, _free, _excluded, _hashes, _parentPages);

        // Of what is staged all is decided in the pause.
        if (IsFreezing) Decide(All);
    }

    /// <summary>
    /// Takes the set of changed pages, and what is free and excluded, while nobody writes. No managed
    /// allocation.
    /// </summary>
    internal void Collect()
    {
        PageRange collected = _pages.Collect(_changed);
        if (IsFreezing && Tracker is BufferTracker { Frozen: null })
        {
            FollowTracker();
            Choice = s_stagedBuffer;
        }

        _undecided = LookAtAllocation() ? All : collected;
        _capturedPages = _region.CommittedPages;
        WasCaptured = true;
    }

    /// <summary>
    /// Sees to it that what <see cref="Collect"/> found can be read as it is now. No managed allocation.
    /// </summary>
    internal void Hold()
    {
        Decide(_undecided);
        _pages.Hold(_wanted);
    }

    /// <summary>
    /// Writes the region to an image: every page as present, zero, excluded or in the parent, as its content
    /// tells.
    /// </summary>
    /// <param name="writer">The image.</param>
    /// <param name="chain">
    /// Where it takes over what did not change; null: it refers to its parent for that.
    /// </param>
    /// <param name="tally">Counts pages.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal void WriteTo(
        ImageWriter writer, Lazy<ChainPages>? chain, PageTally tally, CancellationToken cancellation)
    {
        writer.BeginRegion(Describe());
        InheritedPages? inherited =
            chain is null ? null : new InheritedPages(chain, _id, Math.Min(_parentPages, _capturedPages));

        // A first image, in which everything is new, says nothing of how memory is written.
        CapturePolicy? policy = _parentPages > 0 ? Policy : null;
        PageJudge judge = new(_hashes, _parentPages, inherited is null, tally);
        RegionDraft draft = new(writer, _changed, _wanted, judge, tally, inherited, cancellation);
        _pages.Write(draft);
        long at = 0;
        for (; _changed.NextRun(at, out PageRange run); at = run.End)
        {
            cancellation.ThrowIfCancellationRequested();
            AppendUntouched(draft, new PageRange(at, run.Start - at));
            AppendChanged(draft, run);
        }

        AppendUntouched(draft, new PageRange(at, _capturedPages - at));
        policy?.Observe(judge.Changed, judge.SpansChanged);
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
        Tracker.GiveBack(_changed);
        _hashes.Forget(_changed);
        Forget();
    }

    /// <summary>
    /// A buffer was filled with what the newest image has of it: unless it was captured since, it is
    /// unchanged from here on. Else the fill is a write like others.
    /// </summary>
    internal void IsFilled()
    {
        if (WasCaptured || Tracker is not BufferTracker buffer) return;
        buffer.Reconsider(isKnown: false);
        if (buffer.Frozen is not null != IsFreezing) FollowTracker();
        buffer.Arm();
    }

    /// <summary>The memory may be gone from now on. What was captured of it stays.</summary>
    internal void Leave() => Tracker.Leave();

    public void Dispose()
    {
        _pages.Dispose();
        _hashes.Dispose();
        _changed.Dispose();
        _wanted.Dispose();
        _free.Dispose();
        _excluded.Dispose();
    }

    /// <summary>
    /// Puts another tracker in the place of this one. The two cannot both have the memory, so between them
    /// writes are not seen: the new one, for which nothing is armed, reports all memory once, and content
    /// tells what changed. Where none can be had, all memory is reported until the next checkpoint's try;
    /// where this one cannot let go, it stays.
    /// </summary>
    private void Exchange(Func<DirtyTracker> create, TrackerFactory trackers)
    {
        using PageBitmap pending = new(_region.CapacityPages);
        IRegionPages before = _pages, untracked = PagesBy(new UntrackedMemory(_region));
        try
        {
            Tracker.HandOver(pending);
        }
        catch
        {
            untracked.Dispose();
            throw;
        }

        _pages = untracked;
        before.Dispose();
        try
        {
            Track(create(), pending);
        }
        catch
        {
            FallBack(trackers, pending);
            throw;
        }
    }

    /// <summary>
    /// Tracks as arenas are tracked as a rule, if that can be had; the caller has the first cause.
    /// </summary>
    private void FallBack(TrackerFactory trackers, PageBitmap pending)
    {
        try
        {
            Track(trackers.CreateForArena(_region), pending);
        }
        catch (Exception error) when (error is SnapshotException or ObjectDisposedException or
            OutOfMemoryException)
        {
            // It stays untracked, which loses nothing.
        }
    }

    /// <summary>Leaves untracked memory to a tracker; where this throws it stays as it is.</summary>
    private void Track(DirtyTracker tracker, PageBitmap pending)
    {
        IRegionPages pages;
        try
        {
            pages = PagesBy(tracker);
        }
        catch
        {
            tracker.Dispose();
            throw;
        }

        tracker.GiveBack(pending);
        _pages.Dispose();
        _pages = pages;
    }

    private IRegionPages PagesBy(DirtyTracker tracker) => tracker switch
    {
        FreezingTracker freezing => new FrozenPages(_region, _arena, freezing, freezing),
        BufferTracker { Frozen: { } content } => new FrozenPages(_region, null, tracker, content),
        _ => new StagedPages(_region, _arena, tracker, _staging),
    };

    /// <summary>
    /// What a buffer is was found out when it was protected, but for what had no memory then.
    /// </summary>
    private void ChooseForBuffer(BufferTracker buffer)
    {
        buffer.Reconsider(isKnown: WasCaptured || _parentPages > 0);
        if (buffer.Frozen is not null != IsFreezing) FollowTracker();
        Choice = IsFreezing ? s_frozenBuffer : s_stagedBuffer;
    }

    /// <summary>The tracker stays, and what it finds is held in the other way.</summary>
    private void FollowTracker()
    {
        IRegionPages before = _pages;
        _pages = PagesBy(Tracker);
        before.Detach();
    }

    private PageRange All => new(0, _region.CommittedPages);

    /// <summary>
    /// Whether a page came to be free, used, excluded or included since the last look; of a buffer, to have
    /// memory or none.
    /// </summary>
    private bool LookAtAllocation()
    {
        if (_arena is null)
        {
            _free.Clear();
            Tracker.MarkEmpty(_free);
            return true;
        }

        using Lock.Scope scope = _arena.LockTables();
        if (_arena.PageChanges == _pageChanges) return false;
        _pageChanges = _arena.PageChanges;
        _free.Clear();
        _excluded.Clear();
        _arena.MarkFree(_free);
        _arena.MarkExcluded(_excluded);
        return true;
    }

    /// <summary>What changed is wanted if it is in use.</summary>
    private void Decide(PageRange pages) => _wanted.Choose(pages, _changed, _free, _excluded);

    /// <summary>
    /// Pages that did not change: as in the parent, or never written since the region began.
    /// </summary>
    private void AppendUntouched(RegionDraft draft, PageRange pages)
    {
        long known = Math.Clamp(_parentPages - pages.Start, 0, pages.Count);
        if (draft.Inherited is { } inherited)
            _pages.AppendInherited(draft, inherited, new PageRange(pages.Start, known));
        else if (known > 0) draft.Writer.Append(ExtentKind.InParent, known);
        draft.Writer.Append(ExtentKind.Zero, pages.Count - known);
    }

    private void AppendChanged(RegionDraft draft, PageRange pages)
    {
        long at = pages.Start;
        for (; _wanted.NextRun(at, out PageRange run) && run.Start < pages.End;
            at = Math.Min(run.End, pages.End))
        {
            AppendLeftOut(draft, new PageRange(at, run.Start - at));
            _pages.Append(draft, run with { Count = Math.Min(run.End, pages.End) - run.Start });
        }

        AppendLeftOut(draft, new PageRange(at, pages.End - at));
    }

    /// <summary>Pages that changed and that nobody wants.</summary>
    private void AppendLeftOut(RegionDraft draft, PageRange pages)
    {
        if (pages.Count == 0) return;
        for (long page = pages.Start; page < pages.End; page++)
        {
            draft.Writer.Append(_excluded.Contains(page) ? ExtentKind.Excluded : ExtentKind.Zero, 1);
            draft.Judge.LeaveOut(page);
        }

        draft.Tally.Seen(pages.Count);
    }

    private void Forget()
    {
        _pages.LetGo();
        _changed.Clear();
    }
}
