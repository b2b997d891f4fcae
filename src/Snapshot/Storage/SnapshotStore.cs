using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot;

/// <summary>A directory of images and the manifest that says which of them are committed.</summary>
public sealed class SnapshotStore : IDisposable
{
    private SnapshotStore()
    {
    }

    /// <summary>Opens a store for writing, making the directory when it is missing.</summary>
    /// <param name="directory">The path of the directory.</param>
    /// <param name="options">How the store behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">StoreBusy, StoreIo, Corrupt, UnsupportedFormat, NativeLibrary.</exception>
    public static SnapshotStore Open(string directory, StoreOptions? options = null) => throw new NotImplementedException();

    /// <summary>Opens a store for reading; takes no lock and needs no native code.</summary>
    /// <param name="directory">The path of the directory.</param>
    public static SnapshotStore OpenReadOnly(string directory) => throw new NotImplementedException();

    /// <summary>The full path of the directory.</summary>
    public string Directory => throw new NotImplementedException();

    /// <summary>The options it was opened with.</summary>
    public StoreOptions Options => throw new NotImplementedException();

    /// <summary>The committed generations, oldest first.</summary>
    public IReadOnlyList<GenerationInfo> Generations => throw new NotImplementedException();

    /// <summary>The newest generation, or null when the store is empty.</summary>
    public GenerationInfo? Newest => throw new NotImplementedException();

    /// <summary>Reads every byte of an image and its ancestors, or of all images, and lists everything that is wrong.</summary>
    /// <param name="generation">The generation, or null for all.</param>
    /// <param name="progress">Told about bytes read.</param>
    /// <param name="cancellation">Ends the work.</param>
    public Task<VerifyReport> VerifyAsync(
        long? generation = null, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Replaces an incremental image by a full one of the same state.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="progress">Told about bytes of memory copied.</param>
    /// <param name="cancellation">Ends the work; the store is unchanged.</param>
    public Task<GenerationInfo> CompactAsync(
        long generation, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Deletes the images that a policy does not keep.</summary>
    /// <param name="policy">What to keep.</param>
    /// <param name="progress">Told about bytes deleted.</param>
    /// <param name="cancellation">Ends the work between two files.</param>
    /// <returns>The generations deleted.</returns>
    public Task<IReadOnlyList<GenerationInfo>> PruneAsync(
        RetentionPolicy policy, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>The generations that <see cref="PruneAsync"/> would delete now.</summary>
    /// <param name="policy">What to keep.</param>
    public IReadOnlyList<GenerationInfo> PlanPrune(RetentionPolicy policy) => throw new NotImplementedException();

    /// <summary>What an image says about itself.</summary>
    /// <param name="generation">The generation.</param>
    public ImageDescription Describe(long generation) => throw new NotImplementedException();

    /// <summary>Starts a new image in a file that becomes visible by <see cref="Commit"/>.</summary>
    internal ImageDraft BeginImage(ImageHeader header, ImageWriterOptions? options = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Makes a completed draft durable and visible.</summary>
    internal GenerationInfo Commit(ImageDraft draft) => throw new NotImplementedException();

    /// <summary>Drops a draft and its file.</summary>
    internal void Abandon(ImageDraft draft) => throw new NotImplementedException();

    /// <summary>Opens an image and its ancestors, newest first. The caller disposes them.</summary>
    internal IReadOnlyList<ImageReader> OpenChain(long generation) => throw new NotImplementedException();

    /// <summary>Ends the work with the store and gives the lock back.</summary>
    public void Dispose() => throw new NotImplementedException();
}
