using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>An image being written.</summary>
internal sealed class ImageDraft : StoreDraft
{
    private readonly int _revision;

    /// <param name="file">Empty.</param>
    /// <param name="header">What it says of itself.</param>
    /// <param name="revision">0, or one more than that of the image whose place it takes.</param>
    /// <param name="options">How to write it.</param>
    /// <param name="bytesMost">What the file may take.</param>
    /// <param name="cancellation">Ends the writing.</param>
    internal ImageDraft(
        IStoreFile file, ImageHeader header, int revision, ImageWriterOptions? options, long bytesMost,
        CancellationToken cancellation)
        : base(file, ImageFileName.Of(header.Generation, revision), header.Parent)
    {
        (Header, _revision) = (header, revision);
        Writer = new ImageWriter(new QuotaSink(file, bytesMost), header, options, cancellation);
    }

    internal ImageHeader Header { get; }

    /// <summary>Takes regions, extents and pages.</summary>
    internal ImageWriter Writer { get; }

    /// <summary>Set by <see cref="Complete"/>.</summary>
    internal ImageSummary? Summary { get; private set; }

    internal override ManifestEntry? Entry => Summary is { } summary
        ? ManifestEntry.Of(Header, summary.Length, summary.IndexChecksum, _revision)
        : null;

    /// <summary>Ends the writing: index and footer are in the file, though not yet durable.</summary>
    internal ImageSummary Complete(ImageMetadata metadata, CancellationToken cancellation = default) =>
        Summary = Writer.Complete(metadata, cancellation);

    protected override void EndWriting() => Writer.Dispose();
}
