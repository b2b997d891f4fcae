using System.Buffers.Binary;
using Snapshot.Image;
using Snapshot.Storage;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Fuzz.Forging;

/// <summary>
/// Puts a forged image into a real store, as somebody who may write there can: the manifest lists it.
/// </summary>
internal static class StoreForger
{
    /// <summary>
    /// Copies the newest image, which is a full one, as the next generation, changed; returns that
    /// generation.
    /// </summary>
    internal static long AddForged(string directory, Action<ImageParts> change)
    {
        using DirectoryMedium medium = new(directory, directReads: false);
        Manifest manifest = Manifest.Read(medium);
        ManifestEntry newest = manifest.Entries[^1];
        ImageParts parts = ImageParts.Of(File.ReadAllBytes(Path.Combine(directory, newest.FileName)));
        ManifestEntry entry = newest with
        {
            Generation = newest.Generation + 1,
            ImageId = ImageHeader.NewImageId(),
            Revision = 0,
        };
        BinaryPrimitives.WriteInt64LittleEndian(parts.Header.AsSpan(Header.Generation), entry.Generation);
        entry.ImageId.TryWriteBytes(parts.Header.AsSpan(Header.ImageId));
        change(parts);

        byte[] file = parts.ToFile();
        entry = entry with
        {
            FileLength = file.Length,
            IndexChecksum =
                BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(^PageSize..)[Footer.IndexChecksum..]),
        };
        File.WriteAllBytes(Path.Combine(directory, entry.FileName), file);
        manifest.Commit(entry, continued: null);
        return entry.Generation;
    }
}
