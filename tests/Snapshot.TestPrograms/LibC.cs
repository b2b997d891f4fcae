using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>Memory as programs of C have it: what .NET has no names for.</summary>
internal static unsafe partial class LibC
{
    internal const int NoAccess = 0;
    internal const int ReadWrite = 3;
    internal const int Shared = 1;
    internal const int Private = 2;
    internal const int Anonymous = 0x20;
    internal const int Fixed = 0x10;

    private const int FixedNoReplace = 0x100000;
    private const int AdviseDontNeed = 4;
    private const int AdviseHugePage = 14;
    private const int AdviseNoHugePage = 15;
    private const int MayMove = 1;
    private const int ToFixed = 2;

    private static long s_apart = 0x6000_0000_0000;

    internal static byte* Map(
        long bytes, int flags = Private | Anonymous, int fd = -1, byte* at = null, nint offset = 0)
    {
        nint address = mmap((nint)at, (nuint)bytes, ReadWrite, flags, fd, offset);
        return address == -1 ? throw Failed("mmap") : (byte*)address;
    }

    /// <summary>
    /// Where Linux places nothing by itself: what is unmapped there stays so, whatever other threads map.
    /// </summary>
    internal static byte* MapApart(long bytes)
    {
        long taken = (bytes + (1 << 20)) & ~0xfffL;
        long at = Interlocked.Add(ref s_apart, taken) - taken;
        return Map(bytes, Private | Anonymous | FixedNoReplace, -1, (byte*)at);
    }

    /// <summary>Copies within this process as a peer would: process_vm_readv.</summary>
    internal static void ReadMemory(byte* from, byte* to, long bytes)
    {
        IoVector local = new((nint)to, (nuint)bytes), remote = new((nint)from, (nuint)bytes);
        if (process_vm_readv(Environment.ProcessId, &local, 1, &remote, 1, 0) != bytes)
            throw Failed("process_vm_readv");
    }

    internal static void Unmap(byte* at, long bytes) => Check(munmap((nint)at, (nuint)bytes), "munmap");

    internal static void Protect(byte* at, long bytes, int access) =>
        Check(mprotect((nint)at, (nuint)bytes, access), "mprotect");

    /// <summary>False: a part of it is not mapped.</summary>
    internal static bool TryProtect(byte* at, long bytes, int access) =>
        mprotect((nint)at, (nuint)bytes, access) == 0;

    internal static void Drop(byte* at, long bytes) =>
        Check(madvise((nint)at, (nuint)bytes, AdviseDontNeed), "madvise");

    internal static void AskForHugePages(byte* at, long bytes) =>
        _ = madvise((nint)at, (nuint)bytes, AdviseHugePage);

    internal static void RefuseHugePages(byte* at, long bytes) =>
        _ = madvise((nint)at, (nuint)bytes, AdviseNoHugePage);

    /// <summary>Moves a mapping over another one.</summary>
    internal static void Move(byte* from, byte* to, long bytes)
    {
        if (mremap((nint)from, (nuint)bytes, (nuint)bytes, MayMove | ToFixed, (nint)to) != (nint)to)
            throw Failed("mremap");
    }

    /// <summary>A file in memory, of zeros.</summary>
    internal static int MemoryFile(long bytes)
    {
        int fd = memfd_create("snapshot-test", 1);
        Check(fd < 0 ? -1 : ftruncate(fd, (nint)bytes), "memfd_create");
        return fd;
    }

    private readonly record struct IoVector(nint Start, nuint Bytes);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint process_vm_readv(
        int pid, IoVector* local, nuint localCount, IoVector* remote, nuint remoteCount, nuint flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int close(int fd);

    private static void Check(int result, string step)
    {
        if (result != 0) throw Failed(step);
    }

    private static InvalidOperationException Failed(string step) =>
        new($"{step} failed: errno {Marshal.GetLastPInvokeError()}");

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint mmap(
        nint address, nuint bytes, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int munmap(nint address, nuint bytes);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mprotect(nint address, nuint bytes, int protection);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int madvise(nint address, nuint bytes, int advice);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint mremap(nint from, nuint oldBytes, nuint newBytes, int flags, nint to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ftruncate(int fd, nint bytes);
}
