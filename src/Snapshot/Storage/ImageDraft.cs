using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>An image being written: nothing of it is visible until the store commits it.</summary>
internal sealed class ImageDraft
{
    /// <summary>Takes regions, extents and pages.</summary>
    internal ImageWriter Writer => throw new NotImplementedException();

    internal ImageHeader Header => throw new NotImplementedException();

    /// <summary>False when the file system refused direct I/O, or the store was told not to use it.</summary>
    internal bool DirectIo => throw new NotImplementedException();

    /// <summary>Set by <see cref="Complete"/>.</summary>
    internal ImageSummary? Summary => throw new NotImplementedException();

    /// <summary>Ends the writing: index and footer are in the file, though not yet durable.</summary>
    internal ImageSummary Complete(ImageMetadata metadata, CancellationToken cancellation = default) => throw new NotImplementedException();
}
