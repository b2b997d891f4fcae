namespace Snapshot;

/// <summary>What kind of thing was found in a store.</summary>
public enum StoreFindingKind
{
    /// <summary>A slot of the manifest is not valid: its last write was cut off, or it is damaged.</summary>
    DamagedSlot,

    /// <summary>
    /// A complete image is not listed: a manifest that listed it was damaged or exchanged. Opening the store for
    /// writing sets it aside.
    /// </summary>
    UnlistedImage,

    /// <summary>
    /// A complete image was set aside.
    /// <see cref="SnapshotStore.Recover(string, bool, StoreOptions)"/> can list it again.
    /// </summary>
    ImageSetAside,
}

/// <summary>Something in a store that is not as its writer left it.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Path">The file.</param>
/// <param name="Generation">The generation of the image, or null for the manifest.</param>
/// <param name="Bytes">The length of the image, or 0 for the manifest.</param>
/// <param name="Message">What was found, and what can be done.</param>
public sealed record StoreFinding(
    StoreFindingKind Kind, string Path, long? Generation, long Bytes, string Message);
