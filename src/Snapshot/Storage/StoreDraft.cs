using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// A file that is to become an image of a store: nothing of it is visible until the store commits it. One
/// thread at a time.
/// </summary>
/// <param name="file">Empty; ended by <see cref="End"/>.</param>
/// <param name="fileName">The name that the commit gives to it.</param>
/// <param name="parent">The image that it needs, or null.</param>
internal abstract class StoreDraft(IStoreFile file, string fileName, ImageLink? parent)
{
    private bool _ended;

    /// <summary>The name that the commit gives to the file.</summary>
    internal string FileName { get; } = fileName;

    internal string PartialName => FileName + ImageFileName.PartialSuffix;

    internal ImageLink? Parent { get; } = parent;

    /// <summary>False when the file system refused direct I/O, or the store was told not to use it.</summary>
    internal bool DirectIo => file.DirectIo;

    /// <summary>What the file is expected to take in the end, where somebody knows.</summary>
    internal long ExpectedBytes { get; set; }

    /// <summary>What the manifest is to say of it, or null while it is not complete.</summary>
    internal abstract ManifestEntry? Entry { get; }

    protected IStoreFile File => file;

    internal void Sync() => file.Sync();

    /// <summary>Closes the file; false when that was done before.</summary>
    internal bool End()
    {
        if (_ended) return false;
        _ended = true;
        EndWriting();
        file.Dispose();
        return true;
    }

    /// <summary>Called before the file is closed.</summary>
    protected virtual void EndWriting()
    {
    }
}
