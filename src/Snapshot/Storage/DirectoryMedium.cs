using Microsoft.Win32.SafeHandles;
using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>The medium that is a directory of a local or shared file system.</summary>
/// <param name="directory">The full path.</param>
/// <param name="directReads">Whether reading bypasses the page cache, too; needs the native library, as all writing
/// does.</param>
internal sealed class DirectoryMedium(string directory, bool directReads) : IStoreMedium
{
    // No file but the lock is locked: readers may come at any time, and what they read is never changed in place.
    private const FileShare Anyone = FileShare.ReadWrite | FileShare.Delete;

    public string Location => directory;

    public long? FreeBytes
    {
        get
        {
            try
            {
                return new DriveInfo(directory).AvailableFreeSpace;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A file system that does not say is written to all the same, and says then that it is full.
                return null;
            }
        }
    }

    public void CreateLocation()
    {
        // Only writing needs native code: here it begins.
        Native.Require();
        string[] parents = [.. MissingDirectories().Select(made => Path.GetDirectoryName(made)!)];
        Try("creating the directory", directory, () => Directory.CreateDirectory(directory));
        foreach (string parent in parents) SyncDirectory(parent);
    }

    public IStoreLock Lock(string name)
    {
        const int WouldBlock = 11;
        string path = PathOf(name);
        try
        {
            return new DirectoryLock(
                File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (error.HResult == WouldBlock)
        {
            throw new SnapshotException(
                SnapshotErrorCode.StoreBusy,
                $"{path} is locked: another process, or another session of this one, has the store open for writing. " +
                "Close it, or open the store for reading.",
                error)
            {
                Path = path,
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Io("locking", path, null, error);
        }
    }

    public IReadOnlyList<string> List() => Try("listing", directory, () =>
    {
        List<string> names = [];
        foreach (string path in Directory.EnumerateFiles(directory)) names.Add(Path.GetFileName(path));
        return names;
    });

    public IStoreFile Create(string name, bool direct)
    {
        string path = PathOf(name);
        SafeFileHandle handle = Try(
            "creating", path, () => File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, Anyone));
        return new DirectoryFile(path, handle, direct && TrySetDirect(handle, path));
    }

    public IStoreFile OpenForUpdate(string name)
    {
        string path = PathOf(name);
        return new DirectoryFile(
            path, Try("opening", path, () => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, Anyone)),
            false);
    }

    public IStoreFile OpenForReading(string name)
    {
        string path = PathOf(name);
        SafeFileHandle handle = Try(
            "opening", path, () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, Anyone));
        return new DirectoryFile(path, handle, directReads && TrySetDirect(handle, path));
    }

    public void Rename(string from, string to) =>
        Try("renaming", PathOf(from), () => File.Move(PathOf(from), PathOf(to), overwrite: true));

    public void Delete(string name) => Try("deleting", PathOf(name), () => File.Delete(PathOf(name)));

    public void SyncDirectory() => SyncDirectory(directory);

    public void Dispose()
    {
    }

    /// <summary>The store's directory and those above it, as far as they are to be made.</summary>
    private IEnumerable<string> MissingDirectories()
    {
        for (string? path = directory; path is not null && !Directory.Exists(path); path = Path.GetDirectoryName(path))
            yield return path;
    }

    private static void SyncDirectory(string path)
    {
        int errno = Native.sn_directory_sync(path);
        if (errno != 0) throw StoreErrors.Io("syncing the directory", path, null, errno);
    }

    private string PathOf(string name) => Path.Combine(directory, name);

    /// <summary>False where the file system refuses direct I/O, as some network and memory file systems do.</summary>
    private static bool TrySetDirect(SafeFileHandle handle, string path)
    {
        const int Invalid = 22;
        int errno = Native.sn_file_set_direct((int)handle.DangerousGetHandle(), 1);
        if (errno is 0 or Invalid) return errno == 0;
        handle.Dispose();
        throw StoreErrors.Io("switching to direct I/O", path, null, errno);
    }

    private static void Try(string step, string path, Action action) => Try(step, path, () =>
    {
        action();
        return true;
    });

    private static T Try<T>(string step, string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SnapshotException(SnapshotErrorCode.NotFound, $"{path} does not exist ({step}).", error)
            { Path = path, Step = step };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Io(step, path, null, error);
        }
    }

    private sealed class DirectoryLock(SafeFileHandle handle) : IStoreLock
    {
        public void ThrowIfLost()
        {
        }

        public void Dispose() => handle.Dispose();
    }
}
