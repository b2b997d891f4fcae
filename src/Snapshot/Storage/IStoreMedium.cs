using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// The file operations a store is made of, so that tests can crash between any two of them. What is not
/// synced may be lost or torn by a crash: the content of a file until its <see cref="IStoreFile.Sync"/>, a
/// creation, a rename or a deletion until <see cref="SyncDirectory"/>. Failures are
/// <see cref="SnapshotException"/>s with code StoreIo and the path.
/// </summary>
/// <remarks>
/// Call sequence of a commit: Create, Write…, Sync, SyncDirectory, then OpenForUpdate of the manifest, Read,
/// Write, Sync, at last Rename.
/// </remarks>
internal interface IStoreMedium : IDisposable
{
    /// <summary>The directory, for messages.</summary>
    public string Location { get; }

    /// <summary>Makes the directory when it is missing.</summary>
    public void CreateLocation();

    /// <summary>Bytes that may still be written, or null where nobody can say.</summary>
    public long? FreeBytes { get; }

    /// <summary>
    /// Locks the named file against other writers until the result is disposed; StoreBusy when it is locked.
    /// </summary>
    public IStoreLock Lock(string name);

    /// <summary>The names of all files.</summary>
    public IReadOnlyList<string> List();

    /// <summary>
    /// Makes an empty file, replacing one of that name, for writing by direct I/O when asked for and
    /// possible.
    /// </summary>
    public IStoreFile Create(string name, bool direct);

    /// <summary>Opens an existing file for reading and writing, by the page cache.</summary>
    public IStoreFile OpenForUpdate(string name);

    /// <summary>Opens an existing file for reading; NotFound when it is missing.</summary>
    public IStoreFile OpenForReading(string name);

    /// <summary>Renames, replacing.</summary>
    public void Rename(string from, string to);

    public void Delete(string name);

    /// <summary>Makes creations, renames and deletions durable.</summary>
    public void SyncDirectory();
}

/// <summary>The right to write a store, until it is disposed.</summary>
internal interface IStoreLock : IDisposable
{
    /// <summary>
    /// Looks whether the lock file is still what this writer made it: where the file system has no locks,
    /// another writer may have come.
    /// </summary>
    /// <exception cref="SnapshotException">StoreBusy: another writer has the store; StoreIo.</exception>
    public void ThrowIfLost();
}

/// <summary>An open file of a store.</summary>
internal interface IStoreFile : IImageSink, IImageSource
{
    /// <summary>The path, for messages.</summary>
    public new string Name { get; }

    /// <summary>Whether the file bypasses the page cache.</summary>
    public bool DirectIo { get; }

    /// <summary>
    /// Writes all bytes. Where the file bypasses the page cache, the conditions of the sink hold.
    /// </summary>
    public void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>
    /// Makes the content durable. After a failure nobody knows what is durable: never try again.
    /// </summary>
    public void Sync();
}
