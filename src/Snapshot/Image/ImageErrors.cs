namespace Snapshot.Image;

/// <summary>The failures of reading an image, with one wording.</summary>
internal static class ImageErrors
{
    internal static SnapshotException Corrupt(
        string name, long offset, string what, Exception? inner = null) =>
        new(SnapshotErrorCode.Corrupt,
            $"{name}, offset {offset}: {what}. The image is damaged; restart from another generation or " +
            "restore the file from a copy.", inner)
        {
            Path = name,
            Offset = offset,
        };

    internal static SnapshotException Unsupported(string name, long offset, string what) =>
        new(
            SnapshotErrorCode.UnsupportedFormat,
            $"{name}, offset {offset}: {what}. Use a version of Snapshot that knows it.")
        {
            Path = name,
            Offset = offset,
        };

    internal static SnapshotException ChainBroken(ImageReader image, string what) =>
        new(
            SnapshotErrorCode.ChainBroken,
            $"{image.Name}: {what}. Restart from an older generation, or restore the missing image.")
        {
            Path = image.Name,
            Generation = image.Header.Generation,
        };
}
