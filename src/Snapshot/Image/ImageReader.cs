namespace Snapshot.Image;

internal sealed class ImageReader : IDisposable
{
    /// <summary>Opens and checks header, footer and index; owns the source from then on, also when it fails.</summary>
    internal static ImageReader Open(IImageSource source, ImageLimits? limits = null) => throw new NotImplementedException();

    internal string Name => throw new NotImplementedException();

    internal long Length => throw new NotImplementedException();

    internal ulong IndexChecksum => throw new NotImplementedException();

    internal ImageHeader Header => throw new NotImplementedException();

    internal ImageMetadata Metadata => throw new NotImplementedException();

    internal IReadOnlyList<ImageRegion> Regions => throw new NotImplementedException();

    internal ReadOnlySpan<ImageBlock> Blocks => throw new NotImplementedException();

    internal long PresentPages => throw new NotImplementedException();

    internal ImageRegion? FindRegion(int id) => throw new NotImplementedException();

    /// <summary>The block that holds the page with this ordinal.</summary>
    internal int BlockOf(long ordinal) => throw new NotImplementedException();

    /// <summary>Reads, verifies and decodes a block; the pages are in the scratch until its next use. Thread-safe, one scratch a thread.</summary>
    internal ReadOnlySpan<byte> ReadBlock(int block, BlockScratch scratch) => throw new NotImplementedException();

    /// <summary>The same into memory of the caller, which is not touched unless the block verified.</summary>
    internal void ReadBlock(int block, Span<byte> pages, BlockScratch scratch) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
