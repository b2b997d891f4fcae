using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>What a checkpoint may have to write.</summary>
/// <param name="Tracked">Pages that may have changed since the parent.</param>
/// <param name="Overwritten">Those of them that the parent has, too.</param>
internal readonly record struct CapturedPages(long Tracked, long Overwritten);

/// <summary>
/// How the next image is written, as the room of the store allows: upon its parent, or without one.
/// </summary>
/// <param name="header">The image to be.</param>
/// <param name="expectedBytes">What its file is expected to take.</param>
/// <param name="inherited">
/// The state of the parent, where the image takes over what did not change; null where it refers to it.
/// </param>
internal sealed class NextImage(ImageHeader header, long expectedBytes, Lazy<ChainPages>? inherited)
    : IDisposable
{
    internal ImageHeader Header => header;

    internal long ExpectedBytes => expectedBytes;

    /// <summary>Opened when the first page of it is needed.</summary>
    internal Lazy<ChainPages>? Inherited => inherited;

    public void Dispose()
    {
        if (inherited is { IsValueCreated: true }) inherited.Value.Dispose();
    }
}
