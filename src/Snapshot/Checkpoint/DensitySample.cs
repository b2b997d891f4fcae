using Snapshot.Base;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// How many pages changed in the blocks that were written since the last capture, by a look at some of them: where
/// memory is frozen by blocks, nothing else tells it before the image is written.
/// </summary>
internal static unsafe class DensitySample
{
    private const int BlockPages = FreezingTracker.BlockPages;

    /// <summary>Some more than the policy wants to know of: two milliseconds, whatever the size of the arena.</summary>
    private const int BlocksMax = 12;

    /// <summary>An estimate, since the application writes meanwhile.</summary>
    /// <param name="memory">The first page.</param>
    /// <param name="tracker">Tells which blocks were written.</param>
    /// <param name="hashes">Of the newest committed image.</param>
    /// <param name="pages">Pages that image has.</param>
    /// <param name="leftOut">Pages that must not be looked at.</param>
    /// <returns>Pages that changed, and how many blocks they are in.</returns>
    internal static (long Pages, long Blocks) Of(
        byte* memory, FreezingTracker tracker, PageHashes hashes, long pages, PageBitmap leftOut)
    {
        long[] written = [.. Blocks(pages / BlockPages).Where(tracker.IsOpened)];
        int count = Math.Min(written.Length, BlocksMax);
        (long changed, long blocks) = (0, 0);
        for (int index = 0; index < count; index++)
        {
            long first = written[(long)index * written.Length / count] * BlockPages;
            long found = ChangedFrom(first);
            changed += found;
            blocks += found > 0 ? 1 : 0;
        }

        return (changed, blocks);

        long ChangedFrom(long first)
        {
            long found = 0;
            for (long page = first; page < first + BlockPages; page++)
            {
                // What was zero may have no memory, which a look would give it.
                if (!hashes.IsKnown(page) || hashes.Matches(page, PageHash.Zeros) || leftOut.Contains(page)) continue;
                ReadOnlySpan<byte> content = new(memory + Pages.Bytes(page), Pages.Size);
                if (!hashes.Matches(page, content, out _)) found++;
            }

            return found;
        }
    }

    private static IEnumerable<long> Blocks(long count)
    {
        for (long block = 0; block < count; block++) yield return block;
    }
}
