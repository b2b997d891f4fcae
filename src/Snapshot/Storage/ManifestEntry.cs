using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>A committed image as the manifest has it.</summary>
internal sealed record ManifestEntry(
    Guid ImageId, long Generation, ImageLink? Parent, long FileLength, ulong IndexChecksum, DateTimeOffset Created,
    int Revision)
{
    internal string FileName => ImageFileName.Of(Generation, Revision);

    internal GenerationInfo ToInfo() => new(
        Generation, Parent?.Generation, Parent is null ? GenerationKind.Full : GenerationKind.Incremental, Created,
        FileName, FileLength, ImageId);
}
