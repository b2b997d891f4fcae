namespace Snapshot.Inspection;

/// <summary>One thing that is wrong in a store.</summary>
public sealed class VerifyProblem
{
    internal VerifyProblem(
        SnapshotErrorCode code, long? generation, string path, long? offset, string message)
    {
        Code = code;
        Generation = generation;
        Path = path;
        Offset = offset;
        Message = message;
    }

    /// <summary>What kind of damage.</summary>
    public SnapshotErrorCode Code { get; }

    /// <summary>The generation whose image is concerned, or null for the manifest.</summary>
    public long? Generation { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The offset in the file in bytes, or null when the damage has no place.</summary>
    public long? Offset { get; }

    /// <summary>What is wrong.</summary>
    public string Message { get; }
}

/// <summary>What a verification found.</summary>
public sealed class VerifyReport
{
    internal VerifyReport(
        IReadOnlyList<VerifyProblem> problems, int imageCount, long blockCount, long byteCount)
    {
        Problems = problems;
        ImageCount = imageCount;
        BlockCount = blockCount;
        ByteCount = byteCount;
    }

    /// <summary>Everything wrong, in the order found; empty when all is well.</summary>
    public IReadOnlyList<VerifyProblem> Problems { get; }

    /// <summary>Images looked at.</summary>
    public int ImageCount { get; }

    /// <summary>Blocks whose checksum and encoding were checked.</summary>
    public long BlockCount { get; }

    /// <summary>Bytes read.</summary>
    public long ByteCount { get; }

    /// <summary>
    /// What else there is in the store: a damaged half of the manifest and images that are not listed, which
    /// are among the problems, too, and images that were set aside, which are not. Empty when one generation
    /// was verified.
    /// </summary>
    public IReadOnlyList<StoreFinding> Findings { get; internal init; } = [];

    /// <summary>True when nothing is wrong.</summary>
    public bool IsIntact => Problems.Count == 0;
}
