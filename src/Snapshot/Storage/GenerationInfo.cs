namespace Snapshot;

/// <summary>A committed generation.</summary>
/// <param name="Generation">Its number, at least 1.</param>
/// <param name="Parent">The generation it needs, or null for a full image.</param>
/// <param name="Kind">Full or incremental.</param>
/// <param name="Created">The moment of the capture.</param>
/// <param name="FileName">The name of the image in the directory of the store.</param>
/// <param name="FileBytes">The length of the image.</param>
/// <param name="ImageId">Names the state of the memory; compaction keeps it.</param>
public sealed record GenerationInfo(
    long Generation, long? Parent, GenerationKind Kind, DateTimeOffset Created, string FileName, long FileBytes,
    Guid ImageId)
{
    /// <summary>
    /// Whether the store went on from an older generation than this one: a restart fell back, or was told to.
    /// Pruning keeps it until it is told otherwise.
    /// </summary>
    public bool IsPassedOver { get; init; }
}
