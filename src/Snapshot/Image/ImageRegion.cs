namespace Snapshot.Image;

/// <summary>A region of an image with its extents.</summary>
internal sealed class ImageRegion(RegionDescription description, ImageExtent[] extents, int first, int count)
{
    internal RegionDescription Description => description;

    /// <summary>They cover the committed pages exactly, in order.</summary>
    internal ReadOnlySpan<ImageExtent> Extents => extents.AsSpan(first, count);
}
