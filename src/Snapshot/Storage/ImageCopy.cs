using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>An image of another store whose file is being copied, byte for byte.</summary>
/// <param name="file">Empty.</param>
/// <param name="image">What the other store says of it.</param>
/// <param name="open">Opens the file that was written, to read it.</param>
internal sealed class ImageCopy(IStoreFile file, StoredImage image, Func<IStoreFile> open)
    : StoreDraft(file, ImageFileName.Of(image.Generation, checked((int)image.Revision)), image.Parent)
{
    private ManifestEntry? _entry;

    internal override ManifestEntry? Entry => _entry;

    /// <summary>
    /// Writes a part of the file, where the conditions of <see cref="IImageSink"/> hold.
    /// </summary>
    internal void Write(ReadOnlySpan<byte> bytes, long offset) => File.Write(bytes, offset);

    /// <summary>All is written: it must be the image it was said to be.</summary>
    /// <exception cref="SnapshotException">Corrupt.</exception>
    internal void Complete()
    {
        using ImageReader reader = ImageReader.Open(open());
        ManifestEntry found = ManifestEntry.Of(
            reader.Header, reader.Length, reader.IndexChecksum, checked((int)image.Revision));
        _entry = image.IsOf(found) ? found : throw ImageErrors.Corrupt(
            reader.Name, 0, "what was copied is not the image that was to be copied");
    }
}
