using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>A run of pages of a region and the one image of the chain that defines them.</summary>
/// <param name="FirstPage">In the region.</param>
/// <param name="PageCount">At least 1.</param>
/// <param name="Kind">Present, zero or excluded; in parent only where the youngest images of a longer chain
/// were flattened: then the parent of the last of them has it.</param>
/// <param name="Image">The index of the image in the chain, newest first.</param>
/// <param name="FirstOrdinal">In the page stream of that image; meaningful when present.</param>
internal readonly record struct ChainRun(
    long FirstPage, long PageCount, ExtentKind Kind, int Image, long FirstOrdinal);

/// <summary>
/// The runs of one region of the newest image: they cover its committed pages exactly, in order.
/// </summary>
internal sealed class ChainRegion(RegionDescription description, ReadOnlyMemory<ChainRun> runs)
{
    internal RegionDescription Description => description;

    internal ReadOnlySpan<ChainRun> Runs => runs.Span;

    /// <summary>The runs of some of the pages, cut to them, in order.</summary>
    internal IEnumerable<ChainRun> Within(PageRange pages)
    {
        for (int i = FirstRunBehind(pages.Start); i < runs.Length && runs.Span[i].FirstPage < pages.End; i++)
        {
            ChainRun run = runs.Span[i];
            long start = Math.Max(run.FirstPage, pages.Start);
            long end = Math.Min(run.FirstPage + run.PageCount, pages.End);
            yield return run with
            {
                FirstPage = start,
                PageCount = end - start,
                FirstOrdinal = run.FirstOrdinal + (start - run.FirstPage),
            };
        }
    }

    /// <summary>The first run that does not end before the page.</summary>
    private int FirstRunBehind(long page)
    {
        int low = 0;
        int high = runs.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (runs.Span[middle].FirstPage + runs.Span[middle].PageCount <= page) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>
/// A chain of images flattened: for every page of the newest image the place of its content.
/// </summary>
/// <remarks>
/// Per region one walk over its pages, with a place in each image: a page is asked of the newest image, and
/// where that has it in its parent, of the next one. What the images asked have to say ends with the first of
/// their extents.
/// </remarks>
internal sealed class ChainMap
{
    private ChainMap(ChainRegion[] regions) => Regions = regions;

    /// <summary>The regions of the newest image, in its order.</summary>
    internal IReadOnlyList<ChainRegion> Regions { get; }

    /// <summary>Flattens a chain: an image and all its ancestors.</summary>
    /// <param name="newestFirst">The images.</param>
    /// <param name="isWhole">Whether they are all; what the youngest alone lack is in parent.</param>
    /// <exception cref="SnapshotException">
    /// ChainBroken: an image lacks pages that a younger one needs.
    /// </exception>
    internal static ChainMap Build(IReadOnlyList<ImageReader> newestFirst, bool isWhole = true)
    {
        IReadOnlyList<ImageRegion> newest = newestFirst[0].Regions;
        ChainRegion[] regions = new ChainRegion[newest.Count];
        for (int i = 0; i < regions.Length; i++)
            regions[i] = Flatten(newest[i].Description, newestFirst, isWhole);
        return new ChainMap(regions);
    }

    /// <summary>Checks that a parent has every page that its child leaves to it.</summary>
    /// <exception cref="SnapshotException">ChainBroken: it does not.</exception>
    internal static void CheckLink(ImageReader child, ImageReader parent)
    {
        foreach (ImageRegion region in child.Regions)
        {
            long pagesNeeded = 0;
            foreach (ref readonly ImageExtent extent in region.Extents)
            {
                if (extent.Kind == ExtentKind.InParent) pagesNeeded = extent.FirstPage + extent.PageCount;
            }

            if (pagesNeeded > 0) FindMatching(region.Description, parent, pagesNeeded);
        }
    }

    private static ChainRegion Flatten(
        RegionDescription region, IReadOnlyList<ImageReader> chain, bool isWhole)
    {
        // A run begins where an extent of some image does, or at the first page.
        long most = 1 + chain.Sum(image => (long)(image.FindRegion(region.Id)?.Extents.Length ?? 0));
        ChainRun[] runs = GC.AllocateUninitializedArray<ChainRun>(checked((int)most));
        Place[] places = new Place[chain.Count];
        int count = 0;
        for (long page = 0; page < region.CommittedPages; page += runs[count++].PageCount)
            runs[count] = RunAt(page, region, chain, places, isWhole);
        return new ChainRegion(region, runs.AsMemory(0, count));
    }

    /// <param name="page">Where the run begins; no less than at the call before.</param>
    /// <param name="region">Of the newest image.</param>
    /// <param name="chain">Newest first.</param>
    /// <param name="places">Where each image was looked at last.</param>
    /// <param name="isWhole">Whether there is no image behind the last.</param>
    private static ChainRun RunAt(
        long page, RegionDescription region, IReadOnlyList<ImageReader> chain, Place[] places, bool isWhole)
    {
        long end = region.CommittedPages;
        for (int image = 0; image < places.Length; image++)
        {
            ref Place place = ref places[image];
            if (place.Region is null || page >= place.Region.Description.CommittedPages)
                place.Region = FindMatching(region, chain[image], page + 1);
            ReadOnlySpan<ImageExtent> extents = place.Region.Extents;
            while (extents[place.Extent].FirstPage + extents[place.Extent].PageCount <= page) place.Extent++;
            ref readonly ImageExtent extent = ref extents[place.Extent];
            end = Math.Min(end, extent.FirstPage + extent.PageCount);
            if (extent.Kind == ExtentKind.InParent) continue;
            long ordinal = extent.FirstOrdinal + (page - extent.FirstPage);
            return new ChainRun(page, end - page, extent.Kind, image, ordinal);
        }

        if (isWhole)
            throw ImageErrors.ChainBroken(
                chain[^1], $"pages of region '{region.Name}' are in a parent that is not in the chain");
        return new ChainRun(page, end - page, ExtentKind.InParent, chain.Count, 0);
    }

    private static ImageRegion FindMatching(RegionDescription region, ImageReader image, long pagesNeeded)
    {
        if (image.FindRegion(region.Id) is not { } found)
            throw ImageErrors.ChainBroken(
                image, $"region '{region.Name}' is missing, and a younger image needs pages of it");
        RegionDescription older = found.Description;
        bool same = older.Name == region.Name && older.Kind == region.Kind
            && (older.Kind != RegionKind.Arena || older.BaseAddress == region.BaseAddress);
        if (!same || older.CommittedPages < pagesNeeded)
        {
            throw ImageErrors.ChainBroken(
                image,
                $"region {region.Id} ('{older.Name}', {older.CommittedPages} pages) is not the one " +
                $"('{region.Name}') of which a younger image needs pages");
        }

        return found;
    }

    /// <summary>An extent of the region in an image.</summary>
    private struct Place
    {
        internal ImageRegion? Region;
        internal int Extent;
    }
}
