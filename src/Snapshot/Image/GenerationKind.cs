namespace Snapshot;

/// <summary>Whether an image stands alone. The values are part of the format, do not renumber.</summary>
public enum GenerationKind
{
    /// <summary>The image holds all of the memory.</summary>
    Full = 1,

    /// <summary>The image holds what changed since its parent.</summary>
    Incremental = 2,
}
