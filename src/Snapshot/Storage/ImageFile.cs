namespace Snapshot.Storage;

/// <summary>The open file of an image.</summary>
/// <param name="Image">What the store says of it.</param>
/// <param name="File">Open for reading.</param>
internal sealed record ImageFile(StoredImage Image, IStoreFile File) : IDisposable
{
    public void Dispose() => File.Dispose();
}
