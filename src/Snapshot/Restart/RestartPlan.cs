using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Restart;

/// <summary>
/// What a restart reads and where it puts it: the chain of images, flattened to runs of pages. Made from
/// headers and indexes that verified; no memory is touched yet.
/// </summary>
internal sealed class RestartPlan : IDisposable
{
    private RestartPlan(IReadOnlyList<ImageReader> chain, ChainMap map)
    {
        Chain = chain;
        Regions = map.Regions;
    }

    /// <summary>The images, newest first.</summary>
    internal IReadOnlyList<ImageReader> Chain { get; }

    /// <summary>The regions of the newest image, each covered exactly by runs.</summary>
    internal IReadOnlyList<ChainRegion> Regions { get; }

    internal ImageReader Newest => Chain[0];

    /// <summary>Opens and verifies the structure of a generation and its ancestors.</summary>
    /// <exception cref="SnapshotException">
    /// NotFound, Corrupt, ChainBroken, UnsupportedFormat, StoreIo.
    /// </exception>
    internal static RestartPlan Make(SnapshotStore store, long generation)
    {
        IReadOnlyList<ImageReader> chain = store.OpenChain(generation);
        try
        {
            return new RestartPlan(chain, ChainMap.Build(chain));
        }
        catch
        {
            Close(chain);
            throw;
        }
    }

    /// <summary>
    /// The runs of present pages that one image contributes, in the order of its page stream.
    /// </summary>
    /// <param name="image">Index into <see cref="Chain"/>.</param>
    /// <param name="only">Regions of this kind alone; null for all.</param>
    internal FillRun[] RunsOf(int image, RegionKind? only = null)
    {
        List<FillRun> runs = [];
        for (int region = 0; region < Regions.Count; region++)
        {
            if (only is { } kind && Regions[region].Description.Kind != kind) continue;
            foreach (ChainRun run in Regions[region].Runs)
            {
                if (run.Kind == ExtentKind.Present && run.Image == image)
                    runs.Add(
                        new FillRun(run.FirstOrdinal, region, new PageRange(run.FirstPage, run.PageCount)));
            }
        }

        // Regions keep their order along a chain only if none was added in between, so the order is made
        // here.
        runs.Sort(static (left, right) => left.FirstOrdinal.CompareTo(right.FirstOrdinal));
        return [.. runs];
    }

    public void Dispose() => Close(Chain);

    private static void Close(IReadOnlyList<ImageReader> chain)
    {
        foreach (ImageReader image in chain) image.Dispose();
    }
}

/// <summary>A run of the page stream of one image and the pages of a region it fills.</summary>
/// <param name="FirstOrdinal">Place of the first page in the page stream.</param>
/// <param name="Region">Index into <see cref="RestartPlan.Regions"/>.</param>
/// <param name="Target">Pages of that region.</param>
internal readonly record struct FillRun(long FirstOrdinal, int Region, PageRange Target)
{
    internal long EndOrdinal => FirstOrdinal + Target.Count;
}
