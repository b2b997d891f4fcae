using Snapshot.Base;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// How many pages changed in the spans that were written since the last capture, by a look at some of them:
/// where memory is frozen by spans, nothing else tells it before the image is written.
/// </summary>
internal static unsafe class DensitySample
{
    private const int SpanPages = FreezingTracker.SpanPages;

    /// <summary>
    /// Some more than the policy wants to know of: two milliseconds, whatever the size of the arena.
    /// </summary>
    private const int SpansMax = 12;

    /// <summary>An estimate, since the application writes meanwhile.</summary>
    /// <param name="memory">The first page.</param>
    /// <param name="tracker">Tells which spans were written.</param>
    /// <param name="hashes">Of the newest committed image.</param>
    /// <param name="pages">Pages that image has.</param>
    /// <param name="leftOut">Pages that must not be looked at.</param>
    /// <returns>Pages that changed, and how many spans they are in.</returns>
    internal static (long Pages, long Spans) Of(
        byte* memory, FreezingTracker tracker, PageHashes hashes, long pages, PageBitmap leftOut)
    {
        long[] written = [.. Spans(pages / SpanPages).Where(tracker.IsOpened)];
        int count = Math.Min(written.Length, SpansMax);
        (long changed, long spans) = (0, 0);
        for (int index = 0; index < count; index++)
        {
            long first = written[(long)index * written.Length / count] * SpanPages;
            long found = ChangedFrom(first);
            changed += found;
            spans += found > 0 ? 1 : 0;
        }

        return (changed, spans);

        long ChangedFrom(long first)
        {
            long found = 0;
            for (long page = first; page < first + SpanPages; page++)
            {
                // What was zero may have no memory, which a look would give it.
                if (!hashes.IsKnown(page) || hashes.Matches(page, PageHash.Zeros) || leftOut.Contains(page))
                    continue;
                ReadOnlySpan<byte> content = new(memory + Pages.Bytes(page), Pages.Size);
                if (!hashes.Matches(page, content, out _)) found++;
            }

            return found;
        }
    }

    private static IEnumerable<long> Spans(long count)
    {
        for (long span = 0; span < count; span++) yield return span;
    }
}
