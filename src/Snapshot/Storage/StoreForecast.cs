namespace Snapshot.Storage;

/// <summary>Says what the images of a store will take if the next ones are such and such.</summary>
/// <remarks>
/// An increment keeps everything below it, so one must never be made that leaves no room for a way out: a full image,
/// and beside it the old chain for as long as the policy keeps a generation of it.
/// </remarks>
internal sealed class StoreForecast(StoreHoldings now, StoreLimits limits, RetentionPolicy policy)
{
    // What is kept by its number alone is kept for ever, and no way of writing makes less of it.
    private readonly RetentionPolicy _last = policy with { KeepEvery = 0 };

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
    /// Whether an increment fits, and after it a full image, and increments until the old chain is not needed.
    /// </summary>
    internal bool GoesOnAfterIncrement(long generation, ManifestEntry parent, long increment, long full)
    {
        if (!Fits(now, increment)) return false;

        // A compaction is under way, and its room is counted: it is the way out.
        if (now.DraftBytes > 0) return true;
        StoreHoldings after = Commit(now, generation, parent, increment);
        return Fits(after, full) && GoesOn(Commit(after, generation + 1, null, full), increment);
    }

    /// <summary>Whether the newest generation can be replaced by a full image beside what is kept.</summary>
    internal bool GoesOnAfterCompaction(ManifestEntry newest, long increment, long full) =>
        Fits(now, full) && GoesOn(Commit(now, newest.Generation, null, full), increment);

    /// <summary>Increments upon a full image, until it is the oldest that is kept.</summary>
    private bool GoesOn(StoreHoldings from, long increment)
    {
        ManifestEntry full = from.Entries[^1];
        for (int i = 1; i < policy.KeepLast && from.KeptBy(_last)[0] != full; i++)
        {
            if (!Fits(from, increment)) return false;
            ManifestEntry newest = from.Entries[^1];
            from = Commit(from, newest.Generation + 1, newest, increment);
        }

        return true;
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
