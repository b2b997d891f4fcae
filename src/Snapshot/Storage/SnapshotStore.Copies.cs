using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot;

/// <content>Images that go from one store to another as files, with their numbers and ids.</content>
public sealed partial class SnapshotStore
{
    /// <summary>
    /// Opens the files of a generation and of what it needs, the oldest first. Nothing that happens to the
    /// store afterwards matters to who reads them. The caller disposes them.
    /// </summary>
    /// <exception cref="SnapshotException">NotFound, ChainBroken, StoreIo.</exception>
    internal IReadOnlyList<ImageFile> OpenFiles(long generation) => Reading(entries =>
    {
        List<ImageFile> files = [];
        try
        {
            foreach (ManifestEntry entry in GenerationChain.Follow(entries, Find(generation), Directory))
                files.Add(new ImageFile(
                    StoredImage.Of(entry), GenerationChain.OpenFile(_medium, entry)));
        }
        catch
        {
            foreach (ImageFile file in files) file.Dispose();
            throw;
        }

        files.Reverse();
        return files;
    });

    /// <summary>Which images there are, the oldest first.</summary>
    internal IReadOnlyList<StoredImage> Images => [.. Entries.Select(StoredImage.Of)];

    /// <summary>
    /// Starts a copy of another store's image. The caller ends it by <see cref="CommitCopy"/> or by
    /// <see cref="AbandonCopy"/>.
    /// </summary>
    /// <param name="image">Younger than all that this store has, and its parent is here.</param>
    /// <exception cref="SnapshotException">ChainBroken: the parent is not here; StoreIo.</exception>
    internal ImageCopy BeginCopy(StoredImage image)
    {
        lock (_gate)
        {
            ThrowIfNotWritable();
            ThrowIfNoPlaceFor(image.Generation, image.Parent, tag: null);
            return _drafts.Begin(
                image.Generation, checked((int)image.Revision),
                (file, name) => new ImageCopy(file, image, () => _medium.OpenForReading(name)));
        }
    }

    /// <summary>Makes a complete copy durable and visible, as an image that was written here.</summary>
    internal GenerationInfo CommitCopy(ImageCopy copy) =>
        _drafts.Publish(copy, entry => _manifest.Commit(entry, continued: null));

    internal void AbandonCopy(ImageCopy copy) => _drafts.Abandon(copy);

    /// <summary>Deletes all generations above one, which nobody goes back to.</summary>
    internal void DropAbove(long generation)
    {
        List<ManifestEntry> dropped;
        lock (_gate)
        {
            ThrowIfNotWritable();
            _manifest.ThrowIfUnknown();
            dropped = [.. _manifest.Entries.Where(entry => entry.Generation > generation)];
            if (dropped.Count > 0) _manifest.Retire(dropped);
        }

        foreach (ManifestEntry entry in dropped) _drafts.DeleteRetired(entry);
    }
}
