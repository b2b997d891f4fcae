namespace Snapshot.Inspection;

/// <summary>What kind of thing was found in a store.</summary>
public enum StoreFindingKind
{
    /// <summary>A half of the manifest is not valid: its last write was cut off, or it is damaged.</summary>
    DamagedHalf,

    /// <summary>
    /// A complete image is not listed: a manifest that listed it was damaged or exchanged. Opening the store
    /// for writing sets it aside.
    /// </summary>
    UnlistedImage,

    /// <summary>
    /// A complete image was set aside.
    /// The command <c>snapshot recover</c> can list it again.
    /// </summary>
    ImageSetAside,
}

/// <summary>Something in a store that is not as its writer left it.</summary>
public sealed class StoreFinding
{
    internal StoreFinding(StoreFindingKind kind, string path, long? generation, long bytes, string message)
    {
        Kind = kind;
        Path = path;
        Generation = generation;
        Bytes = bytes;
        Message = message;
    }

    /// <summary>What kind of thing.</summary>
    public StoreFindingKind Kind { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The generation of the image, or null for the manifest.</summary>
    public long? Generation { get; }

    /// <summary>The length of the image, or 0 for the manifest.</summary>
    public long Bytes { get; }

    /// <summary>What was found, and what can be done.</summary>
    public string Message { get; }
}
