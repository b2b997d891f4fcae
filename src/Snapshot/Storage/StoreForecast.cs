namespace Snapshot.Storage;

/// <summary>Says what the images of a store will take if the next ones are such and such.</summary>
/// <remarks>
/// An increment keeps everything below it, so one must never be made that leaves no room for a way out: a
/// full image, and beside it the old chain for as long as the policy keeps a generation of it; and the same
/// once more from there, or the way out would lead into a place without one. Where increments are too large
/// for that every image is full.
/// </remarks>
internal sealed class StoreForecast
{
    private readonly StoreHoldings _now;
    private readonly StoreLimits _limits;
    private readonly RetentionPolicy _policy;
    private readonly KeptBytes _kept;

    internal StoreForecast(StoreHoldings now, StoreLimits limits, RetentionPolicy policy)
    {
        _now = now;
        _limits = limits;

        // The manifest lists no more, so a policy that keeps everything keeps so many.
        _policy = policy.With(keepLast: Math.Min(policy.KeepLast, ManifestHalf.EntriesMax));
        _kept = new KeptBytes(now, _policy, parent: null);
    }

    /// <summary>Whether there is room for an image of so many bytes beside what is kept now.</summary>
    internal bool Fits(long bytes) => Fits(_kept, bytes);

    /// <summary>The same, of the disk and the quota alone.</summary>
    internal bool FitsMost(long bytes) => FitsMost(_kept, bytes);

    /// <summary>Whether the image would fit without a deletion.</summary>
    internal bool FitsUnpruned(long bytes) =>
        _now.ListedBytes + _now.DraftBytes + bytes <= Math.Min(_limits.Wanted, _limits.Most);

    /// <summary>Whether the store is so small with it that its bytes do not matter.</summary>
    internal bool FitsSmallStore(long bytes) => _now.ListedBytes + bytes <= StoreLimits.SmallStore;

    /// <summary>
    /// Whether there is no room for as many generations as are to be kept, not even as increments. Then no
    /// way of writing goes on for ever, and the smallest images are the most generations.
    /// </summary>
    internal bool AsksForMoreThanThereIs(long increment, long full) =>
        full + ((Int128)_policy.KeepLast * increment) > _limits.Most;

    /// <summary>
    /// Whether an increment fits, and leaves a way out: some more increments, then a full image, and
    /// increments until the old chain is not needed.
    /// </summary>
    /// <remarks>
    /// One more increment makes a way out only where something leaves with it: the chain is larger by what
    /// the increments beside the full image are fewer. So it is looked for after those alone.
    /// </remarks>
    internal bool GoesOnAfterIncrement(long generation, ManifestEntry parent, long increment, long full)
    {
        if (!Fits(increment)) return false;

        // A compaction is under way, and its room is counted: it is the way out.
        if (_now.DraftBytes > 0) return true;
        KeptBytes at = new(_now, _policy, parent);
        bool isNew = true;
        _ = at.Commit(generation, increment);
        for (long more = 1; more <= _policy.KeepLast; more++)
        {
            long next = generation + more;
            if (isNew && Renewed(at, next, increment, full) is { } then
                && Renewed(then, next + _policy.KeepLast, increment, full) is not null)
                return true;
            if (!Fits(at, increment)) return false;
            isNew = at.Commit(next, increment);
        }

        return false;
    }

    /// <summary>Whether the newest generation can be replaced by a full image beside what is kept.</summary>
    internal bool GoesOnAfterCompaction(ManifestEntry newest, long increment, long full)
    {
        StoreHoldings others = _now with { Entries = [.. _now.Entries.Where(entry => entry != newest)] };
        return Fits(full)
            && RenewedBeside(
                new KeptBytes(others, _policy, null), newest.Generation, increment, full) is not null;
    }

    /// <summary>
    /// What is there after a full image and increments upon it, until it is the oldest that is kept; or null.
    /// </summary>
    private KeptBytes? Renewed(KeptBytes at, long generation, long increment, long full) =>
        Fits(at, full) ? RenewedBeside(at, generation, increment, full) : null;

    private KeptBytes? RenewedBeside(KeptBytes at, long generation, long increment, long full)
    {
        at.CommitFull(generation, full);
        for (int more = 1; more < _policy.KeepLast && !at.IsOneChain; more++)
        {
            if (!Fits(at, increment)) return null;
            _ = at.Commit(generation + more, increment);
        }

        return at;
    }

    private bool Fits(KeptBytes at, long bytes) =>
        FitsMost(at, bytes) && at.Newest + _now.DraftBytes + bytes <= _limits.Wanted;

    private bool FitsMost(KeptBytes at, long bytes) => at.All + _now.DraftBytes + bytes <= _limits.Most;
}
