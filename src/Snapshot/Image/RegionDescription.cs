namespace Snapshot.Inspection;

/// <summary>What a region of an image is. The values are part of the format, do not renumber.</summary>
public enum RegionKind
{
    /// <summary>An arena: mapped again at its address.</summary>
    Arena = 1,

    /// <summary>A protected buffer: copied back.</summary>
    Buffer = 2,
}

/// <summary>A region of an image: an arena or a protected buffer.</summary>
public sealed class RegionDescription
{
    internal RegionDescription(
        int id, string name, RegionKind kind, ulong baseAddress, long committedPages, long capacityBytes,
        long byteLength, bool hugePages)
    {
        Id = id;
        Name = name;
        Kind = kind;
        BaseAddress = baseAddress;
        CommittedPages = committedPages;
        CapacityBytes = capacityBytes;
        ByteLength = byteLength;
        HugePages = hugePages;
    }

    /// <summary>At least 1, unique in the image, the same in every image of a chain.</summary>
    public int Id { get; }

    /// <summary>The name the user gave.</summary>
    public string Name { get; }

    /// <summary>Arena or protected buffer.</summary>
    public RegionKind Kind { get; }

    /// <summary>The address of the first byte when the image was made.</summary>
    public ulong BaseAddress { get; }

    /// <summary>Pages of 4096 bytes in the image.</summary>
    public long CommittedPages { get; }

    /// <summary>Bytes the region may grow to.</summary>
    public long CapacityBytes { get; }

    /// <summary>Bytes of a buffer; for an arena those of the committed pages.</summary>
    public long ByteLength { get; }

    /// <summary>Whether the region asked for huge pages.</summary>
    public bool HugePages { get; }
}
