namespace Snapshot;

/// <summary>A committed generation.</summary>
public sealed class GenerationInfo
{
    internal GenerationInfo(
        long generation, long? parent, GenerationKind kind, DateTimeOffset created, string fileName,
        long fileBytes,
        Guid imageId)
    {
        Generation = generation;
        Parent = parent;
        Kind = kind;
        Created = created;
        FileName = fileName;
        FileBytes = fileBytes;
        ImageId = imageId;
    }

    /// <summary>Its number, at least 1.</summary>
    public long Generation { get; }

    /// <summary>The generation it needs, or null for a full image.</summary>
    public long? Parent { get; }

    /// <summary>Full or incremental.</summary>
    public GenerationKind Kind { get; }

    /// <summary>The moment of the capture.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>The name of the image in the directory of the store.</summary>
    public string FileName { get; }

    /// <summary>The length of the image.</summary>
    public long FileBytes { get; }

    /// <summary>Names the state of the memory; compaction keeps it.</summary>
    public Guid ImageId { get; }

    /// <summary>
    /// What the program called it (<see cref="CheckpointOptions.Tag"/>), or null; compaction keeps it.
    /// </summary>
    public string? Tag { get; internal init; }

    /// <summary>
    /// Whether the store went on from an older generation than this one: a restart fell back, or was told to.
    /// Pruning keeps it until it is told otherwise.
    /// </summary>
    public bool IsPassedOver { get; internal init; }
}
