using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>What the manifest says of an image besides that it is listed.</summary>
[Flags]
internal enum EntryFlags : uint
{
    /// <summary>A generation like any other.</summary>
    None = 0,

    /// <summary>No generation any more: its file has been deleted, or will be.</summary>
    Retired = 1,

    /// <summary>
    /// The store went on from an older generation; this one stays until somebody says otherwise.
    /// </summary>
    PassedOver = 2,
}

/// <summary>An image as the manifest has it.</summary>
internal sealed record ManifestEntry(
    Guid ImageId, long Generation, ImageLink? Parent, long FileLength, ulong IndexChecksum,
    DateTimeOffset Created,
    int Revision, EntryFlags Flags = EntryFlags.None)
{
    /// <summary>What the program calls the generation, or null.</summary>
    internal string? Tag { get; init; }

    /// <summary>What the manifest says of an image.</summary>
    internal static ManifestEntry Of(
        ImageHeader header, long fileLength, ulong indexChecksum, int revision) =>
        new(
            header.ImageId, header.Generation, header.Parent, fileLength, indexChecksum, header.Created,
            revision)
        { Tag = header.Tag };

    internal string FileName => ImageFileName.Of(Generation, Revision);

    internal bool IsRetired => (Flags & EntryFlags.Retired) != 0;

    internal bool IsPassedOver => (Flags & EntryFlags.PassedOver) != 0;

    internal GenerationInfo ToInfo() => new(
        Generation, Parent?.Generation, Parent is null ? GenerationKind.Full : GenerationKind.Incremental,
        Created,
        FileName, FileLength, ImageId)
    {
        IsPassedOver = IsPassedOver,
        Tag = Tag,
    };
}
