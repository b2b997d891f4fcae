namespace Snapshot.Image;

/// <summary>A run of pages of a region and the one image of the chain that defines them.</summary>
/// <param name="FirstPage">In the region.</param>
/// <param name="PageCount">At least 1.</param>
/// <param name="Kind">Present, zero or excluded; never in parent.</param>
/// <param name="Image">The index of the image in the chain, newest first.</param>
/// <param name="FirstOrdinal">In the page stream of that image; meaningful when present.</param>
internal readonly record struct ChainRun(long FirstPage, long PageCount, ExtentKind Kind, int Image, long FirstOrdinal);

/// <summary>The runs of one region of the newest image: they cover its committed pages exactly, in order.</summary>
internal sealed class ChainRegion(RegionDescription description, ChainRun[] runs)
{
    internal RegionDescription Description => description;

    internal ReadOnlySpan<ChainRun> Runs => runs;
}

/// <summary>A chain of images flattened: for every page of the newest image the place of its content.</summary>
internal sealed class ChainMap
{
    /// <summary>Flattens a chain.</summary>
    internal static ChainMap Build(IReadOnlyList<ImageReader> newestFirst) => throw new NotImplementedException();

    /// <summary>The regions of the newest image, in its order.</summary>
    internal IReadOnlyList<ChainRegion> Regions => throw new NotImplementedException();
}
