using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>Copies the state that a chain of images describes into one full image.</summary>
internal sealed class ImageCompactor(IReadOnlyList<ImageReader> chain, ImageWriter writer) : IDisposable
{
    /// <summary>One per image, for runs of different images alternate and each image is read in order.</summary>
    private readonly BlockScratch[] _scratches = [.. chain.Select(_ => new BlockScratch())];

    private long _pagesDone;
    private long _pagesTotal;

    internal void Copy(IProgress<StoreProgress>? progress, CancellationToken cancellation)
    {
        ChainMap map = ChainMap.Build(chain);
        foreach (ChainRegion region in map.Regions) _pagesTotal += region.Description.CommittedPages;
        foreach (ChainRegion region in map.Regions)
        {
            writer.BeginRegion(region.Description);
            foreach (ref readonly ChainRun run in region.Runs)
            {
                cancellation.ThrowIfCancellationRequested();
                if (run.Kind == ExtentKind.Present) CopyRun(run);
                else writer.Append(run.Kind, run.PageCount);
                Advance(run.PageCount, progress);
            }
        }
    }

    public void Dispose()
    {
        foreach (BlockScratch scratch in _scratches) scratch.Dispose();
    }

    private void CopyRun(in ChainRun run)
    {
        ImageReader image = chain[run.Image];
        long ordinal = run.FirstOrdinal;
        long end = ordinal + run.PageCount;
        for (int index = image.BlockOf(ordinal); ordinal < end; index++)
        {
            ImageBlock block = image.Blocks[index];
            int first = (int)(ordinal - block.FirstOrdinal);
            int count = (int)Math.Min(block.PageCount - first, end - ordinal);
            ReadOnlySpan<byte> pages = image.ReadBlock(index, _scratches[run.Image]);
            writer.AppendPages(pages.Slice(first * Pages.Size, count * Pages.Size), block.ElementSize);
            ordinal += count;
        }
    }

    private void Advance(long pages, IProgress<StoreProgress>? progress)
    {
        const long Step = 4096;
        long before = _pagesDone / Step;
        _pagesDone += pages;
        if (progress is null || (_pagesDone / Step == before && _pagesDone != _pagesTotal)) return;
        progress.Report(
            new StoreProgress(chain[0].Header.Generation, Pages.Bytes(_pagesDone), Pages.Bytes(_pagesTotal)));
    }
}
