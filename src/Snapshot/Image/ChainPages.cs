using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// The pages that a chain of images describes, for reading them, or writing them into another image: a merged
/// one, or one that shall need no parent. One thread at a time.
/// </summary>
/// <param name="chain">An image and all its ancestors, newest first; owned from here on.</param>
/// <param name="depth">
/// How many of them, the newest, the pages are taken from: what others have is in parent.
/// </param>
internal sealed class ChainPages(IReadOnlyList<ImageReader> chain, int depth) : IDisposable
{
    // One per image, for runs of different images alternate and each image is read in order.
    private readonly BlockScratch?[] _scratches = new BlockScratch?[chain.Count];

    internal ImageReader Newest => chain[0];

    /// <summary>The image below those that the pages are taken from, or null when there is none.</summary>
    internal ImageLink? Parent => chain[depth - 1].Header.Parent;

    /// <summary>Where the content of each page is.</summary>
    internal ChainMap Map => field ??= ChainMap.Build([.. chain.Take(depth)], isWhole: depth == chain.Count);

    /// <summary>The region of the newest image with this id.</summary>
    internal ChainRegion Region(int id) =>
        Map.Regions.FirstOrDefault(region => region.Description.Id == id)
        ?? throw ImageErrors.ChainBroken(
            Newest, $"region {id} is missing, and the next image needs pages of it");

    /// <summary>Adds a run to the page stream, whatever its kind.</summary>
    internal void Append(ImageWriter writer, in ChainRun run)
    {
        if (run.Kind == ExtentKind.Present) CopyContent(writer, run);
        else writer.Append(run.Kind, run.PageCount);
    }

    /// <summary>Writes the content of a run of present pages, to the open unit if there is one.</summary>
    internal void CopyContent(ImageWriter writer, in ChainRun run)
    {
        RunReader reader = Read(run);
        while (reader.Next()) writer.AppendPages(reader.Content, reader.ElementSize);
    }

    /// <summary>Reads a run of present pages.</summary>
    internal RunReader Read(in ChainRun run) =>
        new(chain[run.Image], _scratches[run.Image] ??= new BlockScratch(), run);

    /// <summary>How many pages are present, and what they take as they are stored now.</summary>
    internal (long Pages, long Bytes) Stored() => StoredOf(chain, Map);

    /// <summary>The same for the newest images of a chain.</summary>
    internal static (long Pages, long Bytes) Stored(IReadOnlyList<ImageReader> chain, int depth) =>
        StoredOf(chain, ChainMap.Build([.. chain.Take(depth)], isWhole: depth == chain.Count));

    public void Dispose()
    {
        foreach (BlockScratch? scratch in _scratches) scratch?.Dispose();
        foreach (ImageReader image in chain) image.Dispose();
    }

    private static (long Pages, long Bytes) StoredOf(IReadOnlyList<ImageReader> chain, ChainMap map)
    {
        double[] bytesPerPage = [.. chain.Select(image => image.Length / Math.Max(1.0, image.PresentPages))];
        long pages = 0;
        double bytes = 0;
        foreach (ChainRegion region in map.Regions)
        {
            foreach (ref readonly ChainRun run in region.Runs)
            {
                if (run.Kind != ExtentKind.Present) continue;
                pages += run.PageCount;
                bytes += run.PageCount * bytesPerPage[run.Image];
            }
        }

        return (pages, (long)bytes);
    }
}
