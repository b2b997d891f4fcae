using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>A run of pages of a region and the one image of the chain that defines them.</summary>
/// <param name="FirstPage">In the region.</param>
/// <param name="PageCount">At least 1.</param>
/// <param name="Kind">Present, zero or excluded; in parent only where the youngest images of a longer chain were
/// flattened: then the parent of the last of them has it.</param>
/// <param name="Image">The index of the image in the chain, newest first.</param>
/// <param name="FirstOrdinal">In the page stream of that image; meaningful when present.</param>
internal readonly record struct ChainRun(long FirstPage, long PageCount, ExtentKind Kind, int Image, long FirstOrdinal);

/// <summary>The runs of one region of the newest image: they cover its committed pages exactly, in order.</summary>
internal sealed class ChainRegion(RegionDescription description, ChainRun[] runs)
{
    internal RegionDescription Description => description;

    internal ReadOnlySpan<ChainRun> Runs => runs;

    /// <summary>The runs of some of the pages, cut to them, in order.</summary>
    internal IEnumerable<ChainRun> Within(PageRange pages)
    {
        for (int i = FirstRunBehind(pages.Start); i < runs.Length && runs[i].FirstPage < pages.End; i++)
        {
            ChainRun run = runs[i];
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
            if (runs[middle].FirstPage + runs[middle].PageCount <= page) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>A chain of images flattened: for every page of the newest image the place of its content.</summary>
/// <remarks>
/// Per region: the pages still looked for are a sorted list of holes, at first one hole that is the whole region.
/// Each image is merged with the holes in one walk; what it has in its own parent are the holes for the next image.
/// </remarks>
internal sealed class ChainMap
{
    private ChainMap(ChainRegion[] regions) => Regions = regions;

    /// <summary>The regions of the newest image, in its order.</summary>
    internal IReadOnlyList<ChainRegion> Regions { get; }

    /// <summary>Flattens a chain: an image and all its ancestors.</summary>
    /// <param name="newestFirst">The images.</param>
    /// <param name="isWhole">Whether they are all; what the youngest alone lack is in parent.</param>
    /// <exception cref="SnapshotException">ChainBroken: an image lacks pages that a younger one needs.</exception>
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
        List<ChainRun> runs = [];
        List<PageRange> holes = region.CommittedPages > 0 ? [new PageRange(0, region.CommittedPages)] : [];
        List<PageRange> next = [];
        List<int> ends = [];
        for (int image = 0; holes.Count > 0; image++)
        {
            if (image == chain.Count)
            {
                if (isWhole)
                    throw ImageErrors.ChainBroken(
                        chain[^1], $"pages of region '{region.Name}' are in a parent that is not in the chain");
                foreach (PageRange hole in holes)
                    runs.Add(new ChainRun(hole.Start, hole.Count, ExtentKind.InParent, image, 0));
                ends.Add(runs.Count);
                break;
            }

            ReadOnlySpan<ImageExtent> extents = FindMatching(region, chain[image], holes[^1].End).Extents;
            Merge(extents, holes, image, runs, next);
            (holes, next) = (next, holes);
            next.Clear();
            ends.Add(runs.Count);
        }

        return new ChainRegion(region, SortByPage([.. runs], ends));
    }

    /// <summary>
    /// The runs of each image are in order already; neighbours are merged until one sequence is left.
    /// </summary>
    /// <param name="runs">The runs of all images, one image after the other.</param>
    /// <param name="ends">Where the runs of each image end.</param>
    private static ChainRun[] SortByPage(ChainRun[] runs, List<int> ends)
    {
        ChainRun[] target = new ChainRun[ends.Count > 1 ? runs.Length : 0];
        while (ends.Count > 1)
        {
            List<int> mergedEnds = [];
            int start = 0;
            for (int i = 0; i < ends.Count; i += 2)
            {
                int end = i + 1 < ends.Count ? ends[i + 1] : ends[i];
                MergeSorted(runs.AsSpan(start..ends[i]), runs.AsSpan(ends[i]..end), target.AsSpan(start..end));
                mergedEnds.Add(end);
                start = end;
            }

            (runs, target) = (target, runs);
            ends = mergedEnds;
        }

        return runs;
    }

    private static void MergeSorted(ReadOnlySpan<ChainRun> left, ReadOnlySpan<ChainRun> right, Span<ChainRun> target)
    {
        int l = 0;
        int r = 0;
        for (int i = 0; i < target.Length; i++)
        {
            bool takeLeft = r == right.Length || (l < left.Length && left[l].FirstPage < right[r].FirstPage);
            target[i] = takeLeft ? left[l++] : right[r++];
        }
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
                $"region {region.Id} ('{older.Name}', {older.CommittedPages} pages) is not the one ('{region.Name}') " +
                "of which a younger image needs pages");
        }

        return found;
    }

    /// <summary>
    /// Both lists are sorted and the extents have no gaps, so one walk over both meets every intersection.
    /// </summary>
    private static void Merge(
        ReadOnlySpan<ImageExtent> extents, List<PageRange> holes, int image, List<ChainRun> runs, List<PageRange> next)
    {
        int at = 0;
        foreach (PageRange hole in holes)
        {
            long page = hole.Start;
            while (page < hole.End)
            {
                ref readonly ImageExtent extent = ref extents[at];
                long extentEnd = extent.FirstPage + extent.PageCount;
                if (extentEnd <= page)
                {
                    at++;
                    continue;
                }

                long count = Math.Min(extentEnd, hole.End) - page;
                if (extent.Kind == ExtentKind.InParent) next.Add(new PageRange(page, count));
                else
                    runs.Add(
                        new ChainRun(page, count, extent.Kind, image, extent.FirstOrdinal + (page - extent.FirstPage)));
                page += count;
            }
        }
    }
}
