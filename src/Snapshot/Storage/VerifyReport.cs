namespace Snapshot;

/// <summary>One thing that is wrong in a store.</summary>
/// <param name="Code">What kind of damage.</param>
/// <param name="Generation">The generation whose image is concerned, or null for the manifest.</param>
/// <param name="Path">The file.</param>
/// <param name="Offset">The offset in the file in bytes, or null when the damage has no place.</param>
/// <param name="Message">What is wrong.</param>
public sealed record VerifyProblem(SnapshotErrorCode Code, long? Generation, string Path, long? Offset, string Message);

/// <summary>What a verification found.</summary>
/// <param name="Problems">Everything wrong, in the order found; empty when all is well.</param>
/// <param name="ImageCount">Images looked at.</param>
/// <param name="BlockCount">Blocks whose checksum and encoding were checked.</param>
/// <param name="ByteCount">Bytes read.</param>
public sealed record VerifyReport(
    IReadOnlyList<VerifyProblem> Problems, int ImageCount, long BlockCount, long ByteCount)
{
    /// <summary>
    /// What else there is in the store: a damaged slot of the manifest and images that are not listed, which are among
    /// the problems, too, and images that were set aside, which are not. Empty when one generation was verified.
    /// </summary>
    public IReadOnlyList<StoreFinding> Findings { get; init; } = [];

    /// <summary>True when nothing is wrong.</summary>
    public bool IsIntact => Problems.Count == 0;
}
