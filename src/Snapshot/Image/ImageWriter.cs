namespace Snapshot.Image;

internal sealed class ImageWriter : IDisposable
{
    internal ImageWriter(IImageSink sink, ImageHeader header, ImageWriterOptions? options = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Ends the region before and starts the next one.</summary>
    internal void BeginRegion(RegionDescription region) => throw new NotImplementedException();

    /// <summary>Adds pages without content: in parent, zero or excluded.</summary>
    internal void Append(ExtentKind kind, long pageCount) => throw new NotImplementedException();

    /// <summary>Adds present pages; the bytes are copied before this returns.</summary>
    internal void AppendPages(ReadOnlySpan<byte> pages, int elementSize) => throw new NotImplementedException();

    /// <summary>Waits for the pipeline, writes index and footer.</summary>
    internal ImageSummary Complete(ImageMetadata metadata, CancellationToken cancellation = default) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
