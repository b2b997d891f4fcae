using System.Runtime.InteropServices;
using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// An image of a store as whoever copies its file needs it. Processes of one job send it to each other as it
/// lies in memory.
/// </summary>
/// <param name="Generation">Its number.</param>
/// <param name="ImageId">Names the state of the memory.</param>
/// <param name="ParentGeneration">The generation it needs, or 0.</param>
/// <param name="ParentId">The id of that one's image, or zero.</param>
/// <param name="FileBytes">The length of the file.</param>
/// <param name="IndexChecksum">Determines every byte of it.</param>
/// <param name="Revision">How often it was compacted.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct StoredImage(
    long Generation, Guid ImageId, long ParentGeneration, Guid ParentId, long FileBytes,
    ulong IndexChecksum, long Revision)
{
    internal ImageLink? Parent =>
        ParentGeneration > 0 ? new ImageLink(ParentId, ParentGeneration) : null;

    internal static StoredImage Of(ManifestEntry entry) => new(
        entry.Generation, entry.ImageId, entry.Parent?.Generation ?? 0, entry.Parent?.ImageId ?? default,
        entry.FileLength, entry.IndexChecksum, entry.Revision);

    /// <summary>Whether the entry is of this very file.</summary>
    internal bool IsOf(ManifestEntry entry) => this == Of(entry);
}
