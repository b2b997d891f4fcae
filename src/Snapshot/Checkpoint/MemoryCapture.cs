using Snapshot.Image;

namespace Snapshot.Checkpoint;

/// <summary>The memory side of a checkpoint: all regions of the session, and the staging area they share.</summary>
/// <remarks>Regions are added by any thread; everything else is the checkpoint thread's.</remarks>
internal sealed class MemoryCapture : IDisposable
{
    // Pre-copy goes round until so few pages are left that another round would not shorten the pause, or until the
    // application writes as fast as a round copies.
    private const int RoundsMax = 8;
    private const long FewPages = 256;

    // Pages a checkpoint may find in its pause beyond the estimate before a copy faults in staging memory.
    private const long SparePages = 1024;

    private readonly StagingArea _staging;
    private readonly CaptureMode _mode;
    private readonly Lock _adding = new();
    private RegionCapture[] _regions = [];

    // The regions of the running checkpoint: those that existed at the moment of capture.
    private RegionCapture[] _captured = [];

    /// <param name="staging">Where pages are staged; owned from here on.</param>
    /// <param name="mode">The mode asked for.</param>
    /// <param name="parent">The image that the memory is as, or null when it was never in one.</param>
    internal MemoryCapture(StagingArea staging, CaptureMode mode, ImageLink? parent)
    {
        _staging = staging;
        _mode = mode;
        Parent = parent;
    }

    /// <summary>
    /// The newest committed image of this memory: what changed is told relative to it. Null before the first.
    /// </summary>
    internal ImageLink? Parent { get; private set; }

    internal StagingArea Staging => _staging;

    internal IReadOnlyList<RegionCapture> Captured => _captured;

    /// <summary>Pages that the trackers reported for the running checkpoint.</summary>
    internal long TrackedPages => _captured.Sum(region => region.TrackedPages);

    internal void Add(RegionCapture region)
    {
        lock (_adding) _regions = [.. _regions, region];
    }

    /// <summary>Copies changed pages while the application runs. Returns the mode in effect, and why.</summary>
    internal CaptureChoice PreCopy(CancellationToken cancellation)
    {
        _captured = Volatile.Read(ref _regions);
        RegionCapture[] movable = _mode == CaptureMode.Stage
            ? []
            : [.. _captured.Where(region => region.Tracker.SeesEveryWrite)];
        long before = long.MaxValue;
        for (int round = 0; round < RoundsMax && movable.Length > 0; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            long left = movable.Sum(region => region.CountChanged());
            if (round > 0 && (left <= FewPages || left > before / 2)) break;
            before = left;
            _staging.Prefault(left);
            foreach (RegionCapture region in movable) region.PreCopyRound();
        }

        _staging.Prefault(_captured.Sum(region => region.CountChanged()) + SparePages);
        return CaptureChoice.For(_mode, movable.Length > 0);
    }

    /// <summary>
    /// Takes the set of changed pages of every region and re-arms tracking. Nobody writes. No managed allocation.
    /// </summary>
    internal void Collect()
    {
        _captured = Volatile.Read(ref _regions);
        foreach (RegionCapture region in _captured) region.Collect();
    }

    /// <summary>Stages what <see cref="Collect"/> found. Nobody writes. No managed allocation.</summary>
    internal void Stage()
    {
        foreach (RegionCapture region in _captured) region.Stage();
    }

    /// <summary>Writes the captured regions to an image, beside the application.</summary>
    internal void WriteTo(ImageWriter writer, PageTally tally, CancellationToken cancellation)
    {
        foreach (RegionCapture region in _captured) region.WriteTo(writer, tally, cancellation);
    }

    /// <summary>The image is committed: what changes from now on changes relative to it.</summary>
    /// <remarks>
    /// The parent first: should a region fail to settle, its pages are given back and then merely written once more.
    /// The other way round the next image would lack what this one has.
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
        foreach (RegionCapture region in _captured) region.GiveBack();
        _staging.ReturnAll();
    }

    public void Dispose()
    {
        foreach (RegionCapture region in _regions) region.Dispose();
        _staging.Dispose();
    }
}
