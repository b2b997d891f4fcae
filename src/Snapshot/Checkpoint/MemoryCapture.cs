using System.Diagnostics;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Storage;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// The memory side of a checkpoint: all regions of the session, and the staging area they share.
/// </summary>
/// <remarks>Regions are added by any thread; everything else is the checkpoint thread's.</remarks>
internal sealed class MemoryCapture : IDisposable
{
    // Pre-copy goes round until so few pages are left that another round would not shorten the pause, or
    // until the application writes as fast as a round copies.
    private const int RoundsMax = 8;
    private const long FewPages = 256;

    // Pages a checkpoint may find in its pause beyond the estimate before a copy faults in staging memory.
    private const long SparePages = 1024;

    private readonly EarlyStop _earlyStop = new();
    private readonly StagingArea _staging;
    private readonly TrackerFactory _trackers;
    private readonly Func<bool> _isFilling;
    private readonly Lock _adding = new();

    // Held by whoever looks at memory of buffers, or has them tracked differently.
    private readonly Lock _reading = new();
    private readonly List<RegionCapture> _left = [];
    private RegionCapture[] _regions = [];
    private CopyOnWriteInfo? _servedBefore;

    // The regions of the running checkpoint: those that existed at the moment of capture.
    private RegionCapture[] _captured = [];

    // Those of them whose pages are copied before the pause, as far as that goes.
    private RegionCapture[] _movable = [];
    private long _copiedBefore;

    /// <param name="staging">Where pages are staged; owned from here on.</param>
    /// <param name="trackers">Makes the trackers of arenas anew when their mode changes.</param>
    /// <param name="isFilling">Whether pages of arenas are still to come from an image.</param>
    /// <param name="parent">The image that the memory is as, or null when it was never in one.</param>
    internal MemoryCapture(
        StagingArea staging, TrackerFactory trackers, Func<bool> isFilling, ImageLink? parent)
    {
        _staging = staging;
        _trackers = trackers;
        _isFilling = isFilling;
        Parent = parent;
    }

    /// <exception cref="SnapshotException">
    /// Unsupported: memory cannot be captured as the settings say. SystemCall.
    /// </exception>
    internal static MemoryCapture Begin(CheckpointSettings settings, TrackerFactory trackers)
    {
        ThrowUnlessPossible(settings.Capture, trackers);
        return new MemoryCapture(
            new StagingArea(settings.StagingLimit) { Crew = trackers.Crew }, trackers, settings.IsFilling,
            settings.Parent)
        { Wanted = settings.Capture };
    }

    /// <summary>
    /// The newest committed image of this memory: what changed is told relative to it. Null before the first.
    /// </summary>
    internal ImageLink? Parent { get; private set; }

    /// <summary>How arenas are captured of which the program does not say it.</summary>
    internal CaptureMode Wanted { private get; init; }

    internal StagingArea Staging => _staging;

    internal IReadOnlyList<RegionCapture> Captured => _captured;

    /// <summary>
    /// When <see cref="Collect"/> of the running checkpoint was done, in ticks of the stopwatch.
    /// </summary>
    internal long Collected { get; private set; }

    /// <summary>When <see cref="Hold"/> was.</summary>
    internal long Held { get; private set; }

    /// <summary>Pages that the two copied.</summary>
    internal long CopiedInPause => _staging.Copied - _copiedBefore;

    /// <summary>Pages that the trackers reported for the running checkpoint.</summary>
    internal long TrackedPages => _captured.Sum(region => region.TrackedPages);

    /// <summary>The same, and how many of them the newest committed image has, too.</summary>
    internal CapturedPages Pages => new(TrackedPages, _captured.Sum(region => region.OverwrittenPages));

    /// <summary>Writes served since it was last asked, after a commit; null where none has to be.</summary>
    internal CopyOnWriteInfo? TakeServed()
    {
        CopyOnWriteInfo? before = _servedBefore;
        _servedBefore = _trackers.Freezer?.Served;
        return _servedBefore?.Since(before);
    }

    /// <summary>Adds a protected buffer. When it throws, what it owns is let go.</summary>
    /// <param name="id">Of the region.</param>
    /// <param name="buffer">The memory.</param>
    /// <param name="hashes">Of its content in the newest image; owned from here on.</param>
    /// <param name="parentPages">Its pages in the newest image.</param>
    /// <param name="mayWatch">False: it is found changed by its content.</param>
    internal void AddBuffer(
        int id, MemoryRegion buffer, PageHashes hashes, long parentPages, bool mayWatch) => Add(
        hashes, default,
        () => _trackers.CreateForBuffer(
            buffer, mayWatch, isInParent: parentPages > 0, mayFreeze: Wanted == CaptureMode.CopyOnWrite ||
                (Wanted == CaptureMode.Auto && !_trackers.IsPinned)),
        tracker => new RegionCapture(
            id, buffer, null, tracker, hashes, _staging, parentPages, new CapturePolicy()));

    /// <summary>
    /// A buffer was filled with what the newest image has of it. If nobody captured it since, it is unchanged
    /// from here on; else the fill is a write like others.
    /// </summary>
    internal void IsFilled(MemoryRegion buffer)
    {
        RegionCapture filled = Of(buffer);
        lock (_reading) filled.IsFilled();
    }

    /// <summary>
    /// Captures a buffer no more. Nobody reads it when this returns; it waits for a pause, and copies what an
    /// image that is being written still has to read.
    /// </summary>
    internal void RemoveBuffer(MemoryRegion buffer)
    {
        RegionCapture removed = Of(buffer);
        lock (_adding)
        {
            _regions = [.. _regions.Where(region => region != removed)];
            _left.Add(removed);
        }

        lock (_reading) removed.Leave();
    }

    /// <summary>Adds an arena. When it throws, what it owns is let go.</summary>
    /// <param name="id">Of the region.</param>
    /// <param name="arena">The arena.</param>
    /// <param name="hashes">Of its content in the newest image; owned from here on.</param>
    /// <param name="parentPages">Its pages in the newest image.</param>
    /// <param name="asked">How the program wants it captured.</param>
    /// <param name="isRestored">
    /// The restart wrote every page it filled; that is the image's content, not a change to it.
    /// </param>
    internal void AddArena(
        int id, Arena arena, PageHashes hashes, long parentPages, CaptureMode asked, bool isRestored)
    {
        CapturePolicy policy = new() { Wanted = WantedFor(asked) };
        CaptureChoice first = policy.Choose(SituationOf(arena, policy, isFreezing: true, () => 0));
        Add(hashes, first, Track, Capture);

        DirtyTracker Track() => first.Mode == CaptureMode.CopyOnWrite
            ? _trackers.CreateFreezing(arena.Region)
            : _trackers.CreateForArena(arena.Region);

        RegionCapture Capture(DirtyTracker tracker)
        {
            if (isRestored) tracker.Arm();
            return new RegionCapture(id, arena.Region, arena, tracker, hashes, _staging, parentPages, policy);
        }
    }

    /// <summary>Adds arenas as they come from an image, before anybody may write them.</summary>
    internal void Restore(Action addAll)
    {
        _trackers.BeginArming();
        addAll();
        _trackers.EndArming();
    }

    /// <summary>What the program asks for an arena counts from now on.</summary>
    /// <exception cref="SnapshotException">Unsupported.</exception>
    internal void Ask(Arena arena, CaptureMode asked)
    {
        ThrowUnlessPossible(asked);
        Volatile.Read(ref _regions).First(region => region.Arena == arena).Policy.Wanted = WantedFor(asked);
    }

    /// <exception cref="SnapshotException">
    /// Unsupported: memory cannot be captured in that way here, or not as it is tracked.
    /// </exception>
    internal void ThrowUnlessPossible(CaptureMode mode) => ThrowUnlessPossible(mode, _trackers);

    /// <summary>Chooses how each region is captured, while the application runs.</summary>
    /// <returns>Whether the application is to be stopped for <see cref="TakeWritten"/> first.</returns>
    internal bool Choose(CancellationToken cancellation)
    {
        DisposeLeft();
        _captured = Volatile.Read(ref _regions);
        _trackers.PrepareFor(_captured.Sum(region => region.Region.CommittedPages));
        foreach (RegionCapture region in _captured)
        {
            if (IsFree(region.Policy)) region.LookAtDensity();
            if (region.Arena is not null)
            {
                region.Choose(ChoiceFor(region), _trackers, cancellation);
                continue;
            }

            lock (_reading) region.Choose(default, _trackers, cancellation);
        }

        _movable = [.. _captured.Where(region => region.Choice.Mode == CaptureMode.PreCopy)];
        return _trackers.FindsByStopping && _earlyStop.Pays(_movable.Sum(region => region.CountChanged()));
    }

    /// <summary>
    /// Takes what was written so far, so that <see cref="Prepare"/> can copy it. Nobody writes.
    /// </summary>
    internal void TakeWritten() => _trackers.TakeWritten();

    /// <summary>
    /// Copies changed pages of the regions that are pre-copied, while the application runs.
    /// </summary>
    internal void Prepare(CancellationToken cancellation)
    {
        // Without a stop the same page would be found again and again, and never be armed.
        int rounds = _movable.Length == 0 ? 0 : _trackers.FindsByStopping ? 1 : RoundsMax;
        long before = long.MaxValue;
        for (int round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            long left = _movable.Sum(region => Math.Max(0, region.CountChanged() - region.OpenPages));
            if (round > 0 && (left <= FewPages || left > before / 2)) break;
            before = left;
            foreach (RegionCapture region in _movable) region.Prepare();
        }

        _staging.Prefault(
            _captured.Where(region => !region.IsFreezing).Sum(CountChanged) + SparePages);
        long freezing = _captured.Where(region => region.IsFreezing).Sum(CountChanged);
        long open = _captured.Where(region => region.IsFreezing).Sum(region => region.OpenPages);
        if (freezing > 0) _staging.PrefaultForCopies(freezing, open);

        // Last, since what is written from now on is found in the pause.
        foreach (RegionCapture region in _captured)
        {
            if (!region.IsFreezing) continue;
            if (region.Arena is not null)
            {
                region.Prepare();
                continue;
            }

            lock (_reading) region.Prepare();
        }
    }

    /// <summary>
    /// Takes the set of changed pages of every region and re-arms tracking. Nobody writes. No managed
    /// allocation.
    /// </summary>
    internal void Collect()
    {
        _copiedBefore = _staging.Copied;
        _reading.Enter();
        _captured = Volatile.Read(ref _regions);
        _trackers.Freezer?.HoldBack(true);
        bool isDone = false;
        try
        {
            _trackers.BeginCollect();
            foreach (RegionCapture region in _captured) region.Collect();
            isDone = true;
        }
        finally
        {
            _trackers.EndCollect();
            if (!isDone) _reading.Exit();
        }

        Collected = Stopwatch.GetTimestamp();
    }

    /// <summary>
    /// Freezes or stages what <see cref="Collect"/> found. Nobody writes. No managed allocation.
    /// </summary>
    internal void Hold()
    {
        // Staged first: what is left of the staging area is lent out then.
        long before = _staging.Copied;
        try
        {
            foreach (RegionCapture region in _captured)
            {
                if (!region.IsFreezing) region.Hold();
            }

            _earlyStop.Observe(_staging.Copied - before);
            if (_trackers.Freezer is { } freezer) Freeze(freezer);
        }
        finally
        {
            _reading.Exit();
        }

        Held = Stopwatch.GetTimestamp();
    }

    /// <summary>Writes the captured regions to an image, while the participants compute.</summary>
    /// <param name="writer">The image.</param>
    /// <param name="inherited">
    /// Where it takes over pages that did not change; null: it refers to them.
    /// </param>
    /// <param name="tally">Counts pages.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal void WriteTo(
        ImageWriter writer, Lazy<ChainPages>? inherited, PageTally tally, CancellationToken cancellation)
    {
        foreach (RegionCapture region in _captured) region.WriteTo(writer, inherited, tally, cancellation);
    }

    /// <summary>The image is committed: what changes from now on changes relative to it.</summary>
    /// <remarks>
    /// The parent first: should a region fail to settle, its pages are given back and then merely written
    /// once more. The other way round the next image would lack what this one has.
    /// </remarks>
    internal void Settle(ImageLink image)
    {
        Parent = image;
        foreach (RegionCapture region in _captured) region.Settle();
        _staging.ReturnAll();
    }

    /// <summary>The checkpoint failed; its pages are the next one's.</summary>
    internal void GiveBack()
    {
        _trackers.Freezer?.HoldBack(false);
        foreach (RegionCapture region in _captured) region.GiveBack();
        _staging.ReturnAll();
    }

    public void Dispose()
    {
        Closing closing = default;
        foreach (RegionCapture region in _regions) closing.Dispose(region);
        closing.Do(DisposeLeft);
        closing.Dispose(_staging);
        closing.End();
    }

    private RegionCapture Of(MemoryRegion memory) =>
        Volatile.Read(ref _regions).First(region => region.Region == memory);

    /// <summary>A buffer may be unprotected, and then freed, at any time before the pause.</summary>
    private long CountChanged(RegionCapture region)
    {
        if (region.Arena is not null) return region.CountChanged();
        lock (_reading) return region.CountChanged();
    }

    /// <summary>
    /// Of regions that were removed; the last checkpoint, which may have captured them, is done.
    /// </summary>
    private void DisposeLeft()
    {
        lock (_adding)
        {
            foreach (RegionCapture region in _left) region.Dispose();
            _left.Clear();
        }
    }

    private void Freeze(Freezer freezer)
    {
        _staging.LendTo(freezer, isFirst: Parent is null);
        foreach (RegionCapture region in _captured)
        {
            if (region.IsFreezing) region.Hold();
        }

        freezer.HoldBack(false);
    }

    private static void ThrowUnlessPossible(CaptureMode mode, TrackerFactory trackers)
    {
        if (mode == CaptureMode.CopyOnWrite) trackers.ThrowUnlessCanFreeze();
        if (trackers.IsBySignals && mode is CaptureMode.Stage or CaptureMode.PreCopy)
        {
            throw new SnapshotException(
                SnapshotErrorCode.Unsupported,
                $"The program asks for {mode}, and a session that tracks by signals captures by " +
                "copy-on-write. Use CaptureMode.Auto, or another TrackingMechanism.");
        }

        if (mode != CaptureMode.PreCopy || trackers.CopiesBefore) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "The program asks for pre-copy, and pages are tracked by content here, which shows a write " +
            "only when the participants stand still. Use CaptureMode.Auto or Stage, or track by write " +
            "protection or by soft-dirty bits if 'snapshot doctor' shows them.");
    }

    private CaptureMode WantedFor(CaptureMode asked) => asked == CaptureMode.Auto ? Wanted : asked;

    /// <summary>
    /// A checkpoint that has made its choices already captures the region by its first one.
    /// </summary>
    private void Add(
        PageHashes hashes, CaptureChoice first, Func<DirtyTracker> track,
        Func<DirtyTracker, RegionCapture> capture)
    {
        DirtyTracker? tracker = null;
        RegionCapture? region = null;
        try
        {
            tracker = track();
            region = capture(tracker);
            region.Choose(first, _trackers, CancellationToken.None);
            lock (_adding) _regions = [.. _regions, region];
        }
        catch
        {
            if (region is not null) region.Dispose();
            else tracker?.Dispose();
            hashes.Dispose();
            throw;
        }
    }

    private CaptureChoice ChoiceFor(RegionCapture region) => region.Policy.Choose(
        SituationOf(region.Arena!, region.Policy, region.IsFreezing, region.CountChanged));

    /// <summary>Whether no option has decided it.</summary>
    private bool IsFree(CapturePolicy policy) => policy.Wanted == CaptureMode.Auto && !_trackers.IsPinned;

    /// <summary>What costs something to find out is found out where it may decide.</summary>
    private CaptureSituation SituationOf(
        Arena arena, CapturePolicy policy, bool isFreezing, Func<long> countChanged)
    {
        bool isFilling = _isFilling();
        bool mayFreeze = IsFree(policy) && _trackers.CanFreezeUnnoticed && !isFilling;
        return new CaptureSituation(
            _trackers.CopiesBefore,
            _trackers.CanFreezeUnnoticed,
            _trackers.IsPinned,
            isFilling,
            isFreezing,
            mayFreeze ? countChanged() : 0,
            _staging.Capacity,
            mayFreeze && arena.HugePages ? _trackers.HugePart(arena.Region) : 0,
            _trackers.IsBySignals);
    }
}
