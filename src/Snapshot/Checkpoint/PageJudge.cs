using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Tells by its content what a page is to the image that is being written, and records its hash.
/// </summary>
/// <param name="hashes">Of the newest committed image; ahead of it from here on.</param>
/// <param name="parentPages">Pages that image describes; a page beyond it has no parent to refer to.</param>
/// <param name="refers">
/// Whether the image may refer to it; if not, a page that is the same is written, too.
/// </param>
/// <param name="tally">Counts pages that changed.</param>
internal sealed class PageJudge(PageHashes hashes, long parentPages, bool refers, PageTally tally)
{
    private long _lastSpan = -1;

    /// <summary>Pages whose content changed, so far.</summary>
    internal long Changed { get; private set; }

    /// <summary>Spans of 2 MiB with such pages; the pages of a span are judged one after the other.</summary>
    internal long SpansChanged { get; private set; }

    /// <summary>InParent, Zero or Present.</summary>
    internal ExtentKind Judge(long page, ReadOnlySpan<byte> content, out PageHash hash)
    {
        bool same = hashes.Matches(page, content, out hash);
        bool isZero = hash == PageHash.Zeros;
        if (same && page < parentPages)
            return refers ? ExtentKind.InParent : isZero ? ExtentKind.Zero : ExtentKind.Present;

        // Zeros where nothing is known of the page are most often memory that was populated and never
        // written: they take no room in the image, and do not count as a change.
        if (!isZero || hashes.IsKnown(page))
        {
            CountChanged(page / FreezingTracker.SpanPages);
        }

        hashes.Set(page, hash);
        return isZero ? ExtentKind.Zero : ExtentKind.Present;
    }

    /// <summary>
    /// A page that restores as zero whatever it holds: zero is what a later content is compared with.
    /// </summary>
    internal void LeaveOut(long page) => hashes.Set(page, PageHash.Zeros);

    private void CountChanged(long span)
    {
        Changed++;
        tally.Changed++;
        if (span != _lastSpan) SpansChanged++;
        _lastSpan = span;
    }
}
