using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.Interop;

/// <summary>
/// Calls of libc about files in an open directory. Not of the C part: reading a store works where only .NET
/// is. Each returns 0 or an errno.
/// </summary>
/// <remarks>
/// A name is looked up in the directory that was opened once, whatever became of its path since, and symbolic
/// links are not followed: what somebody else puts into the directory cannot lead a write elsewhere. Nor can
/// it hold one up, for opening does not wait for the other end of a FIFO.
/// </remarks>
internal static unsafe class FileCalls
{
    private const int ReadOnly = 0;
    private const int ReadWrite = 2;
    private const int CreateFlag = 0x40; // O_CREAT
    private const int Exclusive = 0x80; // O_EXCL
    private const int NonBlocking = 0x800; // O_NONBLOCK
    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int Here = -100; // AT_FDCWD
    private const int SetFlags = 4; // F_SETFL

    // Of all these flags arm64 has two under other numbers, which are O_DIRECT and O_LARGEFILE elsewhere.
    private static readonly bool s_isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int s_directoryOnly = s_isArm ? 0x4000 : 0x10000; // O_DIRECTORY
    private static readonly int s_noFollow = s_isArm ? 0x8000 : 0x20000; // O_NOFOLLOW

    /// <summary>Opens a directory to look names up in it.</summary>
    internal static int OpenDirectory(string path, out SafeFileHandle directory)
    {
        fixed (byte* text = Text(path))
            return Opened(s_openat(Here, text, ReadOnly | s_directoryOnly | CloseOnExec, 0), out directory);
    }

    /// <summary>Makes a directory whose parent is there.</summary>
    internal static int MakeDirectory(string path, uint mode)
    {
        fixed (byte* text = Text(path)) return Errno(s_mkdir(text, mode));
    }

    /// <summary>Opens a file that is there.</summary>
    internal static int Open(SafeFileHandle directory, string name, bool writing, out SafeFileHandle file) =>
        OpenAt(directory, name, writing ? ReadWrite : ReadOnly, 0, out file);

    /// <summary>Makes a file that is not there.</summary>
    internal static int Create(SafeFileHandle directory, string name, uint mode, out SafeFileHandle file) =>
        OpenAt(directory, name, ReadWrite | CreateFlag | Exclusive, mode, out file);

    /// <summary>Opens a file for writing, making it when it is not there.</summary>
    internal static int OpenOrCreate(
        SafeFileHandle directory, string name, uint mode, out SafeFileHandle file) =>
        OpenAt(directory, name, ReadWrite | CreateFlag, mode, out file);

    internal static int Rename(SafeFileHandle directory, string from, string to)
    {
        fixed (byte* before = Text(from), after = Text(to))
            return Errno(s_renameat(Number(directory), before, Number(directory), after));
    }

    internal static int Unlink(SafeFileHandle directory, string name)
    {
        fixed (byte* text = Text(name)) return Errno(s_unlinkat(Number(directory), text, 0));
    }

    internal static int ChangeOwner(SafeFileHandle file, uint user, uint group) =>
        Errno(s_fchown(Number(file), user, group));

    internal static uint EffectiveUser => s_geteuid();

    /// <summary>What an open file is.</summary>
    internal static int Status(SafeFileHandle file, out FileStatus status) => Status(file, "", out status);

    /// <summary>What a name in a directory is; a symbolic link is not followed.</summary>
    internal static int Status(SafeFileHandle directory, string name, out FileStatus status)
    {
        const int EmptyPath = 0x1000; // AT_EMPTY_PATH
        const int NoLinks = 0x100; // AT_SYMLINK_NOFOLLOW
        const uint Basic = 0x7ff; // STATX_BASIC_STATS
        byte* answer = stackalloc byte[256];
        int errno;
        fixed (byte* text = Text(name))
            errno = Errno(
                s_statx(Number(directory), text, name.Length == 0 ? EmptyPath : NoLinks, Basic, answer));
        status = errno != 0 ? default : new FileStatus(
            User: *(uint*)(answer + 20),
            Group: *(uint*)(answer + 24),
            Mode: *(ushort*)(answer + 28),
            Inode: *(ulong*)(answer + 32),
            Device: *(ulong*)(answer + 136));
        return errno;
    }

    private static int OpenAt(
        SafeFileHandle directory, string name, int flags, uint mode, out SafeFileHandle file)
    {
        int errno;
        fixed (byte* text = Text(name))
        {
            errno = Opened(
                s_openat(Number(directory), text, flags | s_noFollow | NonBlocking | CloseOnExec, mode),
                out file);
        }

        // Only for opening: reads and writes of a regular file do not heed it.
        if (errno == 0) _ = s_fcntl(Number(file), SetFlags, 0);
        return errno;
    }

    private static int Opened(int fd, out SafeFileHandle handle)
    {
        int errno = Errno(fd);
        handle = new SafeFileHandle(fd, ownsHandle: true);
        return errno;
    }

    private static int Errno(int result) => result < 0 ? Marshal.GetLastSystemError() : 0;

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    // From the global scope, as the C part's calls are: what is preloaded stands before libc for both.
    private static readonly nint s_scope = NativeLibrary.GetMainProgramHandle();
    private static readonly delegate* unmanaged<int, byte*, int, uint, int> s_openat =
        (delegate* unmanaged<int, byte*, int, uint, int>)NativeLibrary.GetExport(s_scope, "openat");
    private static readonly delegate* unmanaged<byte*, uint, int> s_mkdir =
        (delegate* unmanaged<byte*, uint, int>)NativeLibrary.GetExport(s_scope, "mkdir");
    private static readonly delegate* unmanaged<int, byte*, int, byte*, int> s_renameat =
        (delegate* unmanaged<int, byte*, int, byte*, int>)NativeLibrary.GetExport(s_scope, "renameat");
    private static readonly delegate* unmanaged<int, byte*, int, int> s_unlinkat =
        (delegate* unmanaged<int, byte*, int, int>)NativeLibrary.GetExport(s_scope, "unlinkat");
    private static readonly delegate* unmanaged<int, byte*, int, uint, byte*, int> s_statx =
        (delegate* unmanaged<int, byte*, int, uint, byte*, int>)NativeLibrary.GetExport(s_scope, "statx");
    private static readonly delegate* unmanaged<int, uint, uint, int> s_fchown =
        (delegate* unmanaged<int, uint, uint, int>)NativeLibrary.GetExport(s_scope, "fchown");
    private static readonly delegate* unmanaged<int, int, int, int> s_fcntl =
        (delegate* unmanaged<int, int, int, int>)NativeLibrary.GetExport(s_scope, "fcntl");
    private static readonly delegate* unmanaged<uint> s_geteuid =
        (delegate* unmanaged<uint>)NativeLibrary.GetExport(s_scope, "geteuid");

    /// <summary>A path as libc takes it.</summary>
    private static byte[] Text(string path) => Encoding.UTF8.GetBytes(path + '\0');
}

/// <summary>What statx says of a file.</summary>
/// <param name="User">Its owner.</param>
/// <param name="Group">Its group.</param>
/// <param name="Mode">Type and permissions.</param>
/// <param name="Inode">With <paramref name="Device"/>, which file it is.</param>
/// <param name="Device">Major and minor number.</param>
internal readonly record struct FileStatus(uint User, uint Group, ushort Mode, ulong Inode, ulong Device)
{
    private const int TypeMask = 0xF000; // S_IFMT
    private const int Regular = 0x8000; // S_IFREG
    private const int OthersWrite = 2; // S_IWOTH

    internal bool IsRegular => (Mode & TypeMask) == Regular;

    internal bool OthersMayWrite => (Mode & OthersWrite) != 0;

    internal bool IsSameAs(FileStatus other) => Inode == other.Inode && Device == other.Device;

    /// <summary>What else it is, for a message.</summary>
    internal string TypeName => (Mode & TypeMask) switch
    {
        0x1000 => "a FIFO",
        0x2000 => "a character device",
        0x4000 => "a directory",
        0x6000 => "a block device",
        0xA000 => "a symbolic link",
        0xC000 => "a socket",
        _ => "a file of an unknown type",
    };
}
