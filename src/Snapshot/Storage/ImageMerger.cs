using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// Replaces an image by one of the same state that has the pages of its ancestors, too: of all of them, which
/// makes it full, or of the youngest. Maintenance of the store is held.
/// </summary>
internal sealed class ImageMerger(SnapshotStore store)
{
    private long _pagesDone;
    private long _pagesTotal;

    /// <param name="entry">The image to replace.</param>
    /// <param name="depth">
    /// How many images of its chain become one, itself included; all when there are fewer.
    /// </param>
    /// <param name="progress">Told about bytes of memory copied.</param>
    /// <param name="cancellation">Ends the work; the store is unchanged then.</param>
    internal GenerationInfo Merge(
        ManifestEntry entry, int depth, IProgress<StoreProgress>? progress, CancellationToken cancellation)
    {
        IReadOnlyList<ImageReader> chain = store.OpenChain(entry.Generation);
        using ChainPages pages = new(chain, Math.Min(depth, chain.Count));
        ImageMetadata metadata = pages.Newest.Metadata;
        ImageDraft draft = store.BeginRevision(
            pages.Newest.Header with { Parent = pages.Parent }, entry, cancellation);
        try
        {
            draft.ExpectedBytes = pages.Stored().Bytes;
            Copy(pages, draft.Writer, progress, cancellation);
            draft.Complete(metadata, cancellation);
            cancellation.ThrowIfCancellationRequested();
            return store.CommitRevision(draft, entry);
        }
        finally
        {
            store.Abandon(draft);
        }
    }

    private void Copy(
        ChainPages pages, ImageWriter writer, IProgress<StoreProgress>? progress,
        CancellationToken cancellation)
    {
        _pagesTotal = pages.Map.Regions.Sum(region => region.Description.CommittedPages);
        foreach (ChainRegion region in pages.Map.Regions)
        {
            writer.BeginRegion(region.Description);
            foreach (ref readonly ChainRun run in region.Runs)
            {
                cancellation.ThrowIfCancellationRequested();
                pages.Append(writer, run);
                Advance(pages.Newest.Header.Generation, run.PageCount, progress);
            }
        }
    }

    private void Advance(long generation, long count, IProgress<StoreProgress>? progress)
    {
        const long Step = 4096;
        long before = _pagesDone / Step;
        _pagesDone += count;
        if (progress is null || (_pagesDone / Step == before && _pagesDone != _pagesTotal)) return;
        progress.Report(new StoreProgress(generation, Pages.Bytes(_pagesDone), Pages.Bytes(_pagesTotal)));
    }
}
