namespace Snapshot;

/// <summary>What a region of an image is. The values are part of the format, do not renumber.</summary>
public enum RegionKind
{
    /// <summary>An arena: mapped again at its address.</summary>
    Arena = 1,

    /// <summary>A protected buffer: copied back.</summary>
    Buffer = 2,
}

/// <summary>A region of an image: an arena or a protected buffer.</summary>
/// <param name="Id">At least 1, unique in the image, the same in every image of a chain.</param>
/// <param name="Name">The name the user gave.</param>
/// <param name="Kind">Arena or protected buffer.</param>
/// <param name="BaseAddress">The address of the first byte when the image was made.</param>
/// <param name="CommittedPages">Pages of 4096 bytes in the image.</param>
/// <param name="CapacityBytes">Bytes the region may grow to.</param>
/// <param name="ByteLength">Bytes of a buffer; for an arena those of the committed pages.</param>
/// <param name="HugePages">Whether the region asked for huge pages.</param>
public sealed record RegionDescription(
    int Id, string Name, RegionKind Kind, ulong BaseAddress, long CommittedPages, long CapacityBytes, long ByteLength,
    bool HugePages);
