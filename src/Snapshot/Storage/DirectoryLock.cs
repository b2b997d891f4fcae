using System.Text;
using Microsoft.Win32.SafeHandles;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>The lock of a directory: a file that is locked, and says by whom.</summary>
internal sealed class DirectoryLock : IStoreLock
{
    private readonly SafeFileHandle _folder;
    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly FileStatus _status;
    private readonly LockHolder _self;
    private readonly bool _isLocked;
    private bool _isWritten;

    private DirectoryLock(
        SafeFileHandle folder, SafeFileHandle file, string path, FileStatus status, LockHolder self,
        bool isLocked)
    {
        _folder = folder;
        _file = file;
        _path = path;
        _status = status;
        _self = self;
        _isLocked = isLocked;
    }

    /// <summary>
    /// Locks, waiting for another holder: the lock of a process that was killed outlives it, for it has its
    /// memory to give back first, and it cannot always be told from one that runs.
    /// </summary>
    /// <param name="folder">The directory.</param>
    /// <param name="path">Of the lock.</param>
    /// <param name="trust">Whose file it may be, and whether locks may be missing.</param>
    /// <param name="wait">How long to wait.</param>
    /// <exception cref="SnapshotException">StoreBusy: somebody has it. Unsupported: the file system has no
    /// locks. StoreIo, Untrusted.</exception>
    internal static DirectoryLock Acquire(
        SafeFileHandle folder, string path, StoreTrust trust, LockWait wait)
    {
        LockHolder self = LockHolder.New();
        while (true)
        {
            SafeFileHandle file = Open(folder, path, trust, out FileStatus status);
            try
            {
                int errno = Native.sn_lock_acquire((int)file.DangerousGetHandle());
                LockHolder? holder = errno == 0 ? null : Read(file);
                if (errno is not 0 and not Errno.TryAgain && !trust.AllowsUnlocked)
                    throw NoLocks(path, errno);
                if (errno == 0 ? IsStillThere(folder, path, status) : MayGoOn(errno, holder, self))
                {
                    DirectoryLock held = new(folder, file, path, status, self, errno == 0);
                    held.Write();
                    return held;
                }

                if (errno == 0) Native.sn_lock_release((int)file.DangerousGetHandle());
                else if (IsOfThisProcess(holder, self) || !wait.GoOn(() => WhoHas(path, holder, self)))
                    throw Busy(path, holder, self);
            }
            catch
            {
                Native.sn_lock_release((int)file.DangerousGetHandle());
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    public void ThrowIfLost()
    {
        bool isOurs = IsStillThere(_folder, _path, _status)
            && (!_isWritten || Read(_file) is not { } now || now.Session == _self.Session);
        if (!isOurs) throw Busy(_path, Read(_file), _self);
    }

    /// <summary>
    /// Of a lock that nobody gave back: a number of a descriptor must not stay recorded when another file may
    /// get it.
    /// </summary>
    /// <remarks>Runs before the handle's own, which is a critical one.</remarks>
    ~DirectoryLock() => Release();

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        // Not when another one came, where there are no locks: then it says who that is.
        if (_isWritten && Read(_file)?.Session == _self.Session) Clear();
        Release();
        _file.Dispose();
    }

    private void Release()
    {
        if (_isLocked && !_file.IsClosed) Native.sn_lock_release((int)_file.DangerousGetHandle());
    }

    /// <summary>
    /// Says who holds it. Where it is locked this is for messages alone, and a full disk shall not keep
    /// anybody from opening a store to prune it.
    /// </summary>
    private void Write()
    {
        try
        {
            using FileSizeSignal signal = FileSizeSignal.Hold();
            RandomAccess.SetLength(_file, 0);
            RandomAccess.Write(_file, _self.ToBytes(), 0);
            _isWritten = true;
        }
        catch (Exception error) when (!_isLocked && StoreErrors.IsIo(error))
        {
            throw StoreErrors.Io("writing", _path, 0, error);
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            Clear();
        }
    }

    private static SafeFileHandle Open(
        SafeFileHandle folder, string path, StoreTrust trust, out FileStatus status)
    {
        int errno =
            FileCalls.OpenOrCreate(folder, Path.GetFileName(path), trust.FileMode, out SafeFileHandle file);
        if (errno == Errno.Loop) throw StoreTrust.NotAFile(path, "a symbolic link");
        if (errno != 0) throw StoreErrors.Io("opening", path, null, errno);
        try
        {
            errno = FileCalls.Status(file, out status);
            if (errno != 0) throw StoreErrors.Io("looking at", path, null, errno);
            trust.CheckFile(path, status, asOwner: true);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether the name still is the file that was locked: it may have been deleted and made anew.
    /// </summary>
    private static bool IsStillThere(SafeFileHandle folder, string path, FileStatus status) =>
        FileCalls.Status(folder, Path.GetFileName(path), out FileStatus now) == 0 && now.IsSameAs(status);

    /// <summary>Without locks: unless a process of this machine is known to have it.</summary>
    private static bool MayGoOn(int errno, LockHolder? holder, LockHolder self) =>
        errno != Errno.TryAgain
            && (holder is null || holder.State(self) is HolderState.Gone or HolderState.Elsewhere);

    /// <summary>A session that this process has is one that it can close, and no use waiting for.</summary>
    private static bool IsOfThisProcess(LockHolder? holder, LockHolder self) =>
        holder?.Process == self.Process && holder.State(self) == HolderState.Alive;

    private static LockHolder? Read(SafeFileHandle file)
    {
        try
        {
            Span<byte> bytes = stackalloc byte[4096];
            return LockHolder.Parse(Encoding.UTF8.GetString(bytes[..RandomAccess.Read(file, bytes, 0)]));
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            return null; // Who it is cannot be told then.
        }
    }

    private void Clear()
    {
        try
        {
            RandomAccess.SetLength(_file, 0);
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            // What stays is the name of a process that is gone; the next holder writes its own.
        }
    }

    private static SnapshotException Busy(string path, LockHolder? holder, LockHolder self) => new(
        SnapshotErrorCode.StoreBusy,
        $"{WhoHas(path, holder, self)}. Close it, or open the store for reading.")
    { Path = path };

    private static string WhoHas(string path, LockHolder? holder, LockHolder self)
    {
        string who = holder switch
        {
            null => "another process, or another session of this one, has",
            _ when IsOfThisProcess(holder, self) => "another session of this process has",
            _ => holder.State(self) switch
            {
                HolderState.Alive => $"{holder} has",
                HolderState.Elsewhere => $"{holder}, another machine or container, has",
                _ => $"{holder} is gone, and something it started still has",
            },
        };
        return $"{path} is locked: {who} the store open for writing";
    }

    private static SnapshotException NoLocks(string path, int errno)
    {
        string system;
        try
        {
            system = new DriveInfo(Path.GetDirectoryName(path)!).DriveFormat;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            system = "its type is not known";
        }

        return new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"{path} cannot be locked: the file system ({system}) answers flock with errno {errno}, " +
            $"{System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)}. Two processes could " +
            "write the store at the same time. Mount it with locks (Lustre: -o flock), or use another " +
            $"directory. {nameof(StoreOptions)}.{nameof(StoreOptions.AllowUnlocked)} lets the program go " +
            "on without locks.")
        { Path = path, Errno = errno, Step = "locking" };
    }
}
