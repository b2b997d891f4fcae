using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// Makes room where pruning frees nothing: merges images of a chain that are kept only because younger ones
/// need them, where the merged image takes less than there is and less than it frees. Maintenance is held.
/// </summary>
internal sealed class RoomMaker(SnapshotStore store)
{
    /// <summary>Merges until there is enough room, or nothing helps any more.</summary>
    /// <param name="wanted">Bytes.</param>
    /// <param name="room">How many there are.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal void Make(long wanted, Func<long> room, CancellationToken cancellation)
    {
        while (room() < wanted && Best(room()) is { } merge)
        {
            new ImageMerger(store).Merge(merge.Newest, merge.Depth, null, cancellation);
            store.Prune(store.Options.Retention, null);
        }
    }

    /// <summary>The merge that gains most, of those that there is room for.</summary>
    private Candidate? Best(long room)
    {
        StoreHoldings now = store.Holdings;
        HashSet<long> wanted = now.WantedBy(store.Options.Retention);
        Candidate? best = null;
        foreach (ManifestEntry newest in now.Entries.Where(entry => wanted.Contains(entry.Generation)))
        {
            foreach (Candidate candidate in Candidates(now, newest, wanted))
            {
                if (candidate.Bytes <= room && candidate.Gain > (best?.Gain ?? 0)) best = candidate;
            }
        }

        return best;
    }

    private IEnumerable<Candidate> Candidates(StoreHoldings now, ManifestEntry newest, HashSet<long> wanted)
    {
        List<ManifestEntry> chain = GenerationChain.Follow(now.Entries, newest, store.Directory);
        int deepest = 1;
        while (deepest < chain.Count && IsOnlyFor(chain[deepest - 1], chain[deepest])) deepest++;
        if (deepest == 1) yield break;
        IReadOnlyList<ImageReader> images = store.OpenChain(newest.Generation);
        try
        {
            long freed = newest.FileLength;
            for (int depth = 2; depth <= deepest; depth++)
            {
                freed += chain[depth - 1].FileLength;
                long bytes = ChainPages.Stored(images, depth).Bytes + images[0].Length - BlocksOf(images[0]);
                yield return new Candidate(newest, depth, bytes, freed - bytes);
            }
        }
        finally
        {
            foreach (ImageReader image in images) image.Dispose();
        }

        bool IsOnlyFor(ManifestEntry child, ManifestEntry parent) =>
            !wanted.Contains(parent.Generation)
            && now.Entries.All(entry => entry == child || entry.Parent?.Generation != parent.Generation);
    }

    /// <summary>What of an image is pages, and not said about them.</summary>
    private static long BlocksOf(ImageReader image)
    {
        long bytes = 0;
        foreach (ref readonly ImageBlock block in image.Blocks) bytes += block.StoredLength;
        return bytes;
    }

    private sealed record Candidate(ManifestEntry Newest, int Depth, long Bytes, long Gain);
}
