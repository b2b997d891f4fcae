namespace Snapshot.Storage;

/// <summary>Says what the images of a store will take if the next ones are such and such.</summary>
/// <remarks>
/// An increment keeps everything below it, so one must never be made that leaves no room for a way out: a full image,
/// and beside it the old chain for as long as the policy keeps a generation of it; and the same once more from there,
/// or the way out would lead into a place without one. Where increments are too large for that every image is full.
/// </remarks>
internal sealed class StoreForecast(StoreHoldings now, StoreLimits limits, RetentionPolicy policy)
{
    // What is kept by its number alone is kept for ever, and no way of writing makes less of it.
    private readonly RetentionPolicy _last = policy with { KeepEvery = 0, KeepPassedOver = false };

    /// <summary>Whether there is room for an image of so many bytes beside what is kept now.</summary>
    internal bool Fits(long bytes) => Fits(now, bytes);

    /// <summary>The same, of the disk and the quota alone.</summary>
    internal bool FitsMost(long bytes) => FitsMost(now, bytes);

    /// <summary>Whether the image would fit without a deletion.</summary>
    internal bool FitsUnpruned(long bytes) =>
        now.ListedBytes + now.DraftBytes + bytes <= Math.Min(limits.Wanted, limits.Most);

    /// <summary>Whether the store is so small with it that its bytes do not matter.</summary>
    internal bool FitsSmallStore(long bytes) => now.ListedBytes + bytes <= StoreLimits.SmallStore;

    /// <summary>
    /// Whether an increment fits, and leaves a way out: some more increments, then a full image, and increments until
    /// the old chain is not needed.
    /// </summary>
    internal bool GoesOnAfterIncrement(long generation, ManifestEntry parent, long increment, long full)
    {
        if (!Fits(now, increment)) return false;

        // A compaction is under way, and its room is counted: it is the way out.
        if (now.DraftBytes > 0) return true;
        StoreHoldings after = Commit(now, generation, parent, increment);
        for (int more = 0; more < policy.KeepLast; more++)
        {
            ManifestEntry newest = after.Entries[^1];
            long next = newest.Generation + 1;
            if (Renewed(after, next, increment, full) is { } at && IsRenewable(at, increment, full)) return true;
            if (!Fits(after, increment)) return false;
            after = Commit(after, next, newest, increment);
        }

        return false;
    }

    /// <summary>Whether the newest generation can be replaced by a full image beside what is kept.</summary>
    internal bool GoesOnAfterCompaction(ManifestEntry newest, long increment, long full) =>
        Renewed(now, newest.Generation, increment, full) is not null;

    private bool IsRenewable(StoreHoldings at, long increment, long full) =>
        Renewed(at, at.Entries[^1].Generation + 1, increment, full) is not null;

    /// <summary>
    /// What is there after a full image and increments upon it, until it is the oldest that is kept; or null.
    /// </summary>
    private StoreHoldings? Renewed(StoreHoldings at, long generation, long increment, long full)
    {
        if (!Fits(at, full)) return null;
        at = Commit(at, generation, null, full);
        ManifestEntry oldest = at.Entries[^1];
        for (int i = 1; i < policy.KeepLast && at.KeptBy(_last)[0] != oldest; i++)
        {
            if (!Fits(at, increment)) return null;
            ManifestEntry newest = at.Entries[^1];
            at = Commit(at, newest.Generation + 1, newest, increment);
        }

        return at;
    }

    private StoreHoldings Commit(StoreHoldings before, long generation, ManifestEntry? parent, long bytes)
    {
        StoreHoldings after = before.With(generation, parent, bytes);
        return after with { Entries = after.KeptBy(policy) };
    }

    private bool Fits(StoreHoldings at, long bytes) =>
        FitsMost(at, bytes) && Bytes(at.KeptBy(_last)) + at.DraftBytes + bytes <= limits.Wanted;

    private bool FitsMost(StoreHoldings at, long bytes) =>
        Bytes(at.KeptBy(policy)) + at.DraftBytes + bytes <= limits.Most;

    private static long Bytes(List<ManifestEntry> entries) => entries.Sum(entry => entry.FileLength);
}
