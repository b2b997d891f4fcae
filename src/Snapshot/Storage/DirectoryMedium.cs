using Microsoft.Win32.SafeHandles;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>The medium that is a directory of a local or shared file system.</summary>
/// <remarks>
/// The directory is opened once, and names are looked up in it: what happens to its path afterwards does not
/// matter. No file but the lock is locked, for readers may come at any time, and what they read is never
/// changed in place.
/// </remarks>
/// <param name="directory">The full path.</param>
/// <param name="directReads">Whether reading bypasses the page cache, too; needs the native library, as all
/// writing does.</param>
/// <param name="options">Who may be the owner, who may read, and whether locks may be missing; or null for
/// the defaults.</param>
internal sealed class DirectoryMedium(string directory, bool directReads, StoreOptions? options = null)
    : IStoreMedium
{
    private readonly StoreOptions _options = options ?? new StoreOptions();
    private readonly StoreTrust _trust = new(options ?? new StoreOptions());
    private readonly Lock _opening = new();
    private SafeFileHandle? _handle;
    private FileStatus _status;
    private bool _isWritten;

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
        string[] parents = [.. MissingDirectories().Select(missing => Path.GetDirectoryName(missing)!)];
        if (parents.Length == 0) return;
        try
        {
            Directory.CreateDirectory(parents[0]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Io("creating the directory", parents[0], null, error);
        }

        int made = FileCalls.MakeDirectory(directory, _trust.DirectoryMode);
        if (made is not 0 and not Errno.Exists)
            throw StoreErrors.Io("creating the directory", directory, null, made);
        foreach (string parent in parents)
        {
            int errno = Native.sn_directory_sync(parent);
            if (errno != 0) throw StoreErrors.Io("syncing the directory", parent, null, errno);
        }
    }

    public IStoreLock Lock(string name)
    {
        Native.Require();
        lock (_opening) _isWritten = true;
        SafeFileHandle folder = Folder();
        _trust.CheckDirectory(directory, _status);
        return DirectoryLock.Acquire(folder, PathOf(name), _trust, new LockWait(_options));
    }

    public IReadOnlyList<string> List()
    {
        SafeFileHandle folder = Folder();
        try
        {
            List<string> names = [];
            // The directory that is open, not the one that has its name now.
            foreach (string path in Directory.EnumerateFiles($"/proc/self/fd/{folder.DangerousGetHandle()}"))
                names.Add(Path.GetFileName(path));
            return names;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Io("listing", directory, null, error);
        }
    }

    public IStoreFile Create(string name, bool direct)
    {
        SafeFileHandle folder = Folder();
        string path = PathOf(name);
        Delete(name);
        Check("creating", path, FileCalls.Create(folder, name, _trust.FileMode, out SafeFileHandle file));
        return Opened(path, file, direct, isNew: true);
    }

    public IStoreFile OpenForUpdate(string name) => OpenFile(name, writing: true, direct: false);

    public IStoreFile OpenForReading(string name) => OpenFile(name, writing: false, directReads);

    public void Rename(string from, string to) =>
        Check("renaming", PathOf(from), FileCalls.Rename(Folder(), from, to));

    public void Delete(string name)
    {
        int errno = FileCalls.Unlink(Folder(), name);
        if (errno != Errno.NotFound) Check("deleting", PathOf(name), errno);
    }

    public void SyncDirectory()
    {
        int errno = Native.sn_file_sync((int)Folder().DangerousGetHandle());
        if (errno != 0) throw StoreErrors.Io("syncing the directory", directory, null, errno);
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _handle?.Dispose();
            _handle = null;
        }
    }

    /// <summary>The store's directory and those above it, as far as they are missing.</summary>
    private IEnumerable<string> MissingDirectories()
    {
        for (string? path = directory; path is not null && !Directory.Exists(path);
            path = Path.GetDirectoryName(path))
            yield return path;
    }

    private string PathOf(string name) => Path.Combine(directory, name);

    private SafeFileHandle Folder()
    {
        lock (_opening)
        {
            if (_handle is not null) return _handle;
            Check("opening the directory", directory, FileCalls.OpenDirectory(
                directory, out SafeFileHandle opened));
            int errno = FileCalls.Status(opened, out _status);
            if (errno != 0) opened.Dispose();
            Check("looking at the directory", directory, errno);
            return _handle = opened;
        }
    }

    private DirectoryFile OpenFile(string name, bool writing, bool direct)
    {
        SafeFileHandle folder = Folder();
        string path = PathOf(name);
        int errno = FileCalls.Open(folder, name, writing, out SafeFileHandle file);
        if (errno == Errno.Loop) throw StoreTrust.NotAFile(path, "a symbolic link");
        Check("opening", path, errno);
        return Opened(path, file, direct, isNew: false);
    }

    /// <summary>Owns the handle from here on, also when it fails.</summary>
    private DirectoryFile Opened(string path, SafeFileHandle file, bool direct, bool isNew)
    {
        try
        {
            Check("looking at", path, FileCalls.Status(file, out FileStatus status));
            _trust.CheckFile(path, status, _isWritten && !isNew);
            if (isNew && StoreTrust.ShouldBelongTo(_status))
                Check("changing the owner", path, FileCalls.ChangeOwner(file, _status.User, _status.Group));
            return new DirectoryFile(path, file, direct && TrySetDirect(file, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// False where the file system refuses direct I/O, as some network and memory file systems do.
    /// </summary>
    private static bool TrySetDirect(SafeFileHandle handle, string path)
    {
        int errno = Native.sn_file_set_direct((int)handle.DangerousGetHandle(), 1);
        if (errno is 0 or Errno.Invalid) return errno == 0;
        throw StoreErrors.Io("switching to direct I/O", path, null, errno);
    }

    private static void Check(string step, string path, int errno)
    {
        if (errno == 0) return;
        if (errno != Errno.NotFound) throw StoreErrors.Io(step, path, null, errno);
        throw new SnapshotException(SnapshotErrorCode.NotFound, $"{path} does not exist ({step}).")
        { Path = path, Step = step };
    }
}
