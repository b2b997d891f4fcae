using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>
/// Calls of libc that only probing makes: it asks the kernel itself, not the C part, whose functions hide
/// what is being probed.
/// </summary>
internal static unsafe partial class ProbeCalls
{
    internal const int ReadWrite = 1 | 2; // PROT_READ | PROT_WRITE
    internal const int PrivateAnonymous = 0x02 | 0x20; // MAP_PRIVATE | MAP_ANONYMOUS
    internal const int FixedNoReplace = 0x100000; // MAP_FIXED_NOREPLACE
    internal const int Fixed = 0x10; // MAP_FIXED
    internal const int MoveTo = 1 | 2; // MREMAP_MAYMOVE | MREMAP_FIXED
    internal const long FutexWaitv = 449; // __NR_futex_waitv, the same on all processors
    internal const nint MapFailed = -1;

    /// <summary>__NR_mremap.</summary>
    internal static nint Mremap => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 216 : 25;

    private const string Libc = "libc";

    [LibraryImport(Libc, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint mmap(
        nint address, nuint bytes, int protection, int flags, int fd, nint offset);

    [LibraryImport(Libc)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int mincore(nint address, nuint bytes, byte* resident);

    [LibraryImport(Libc)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int munmap(nint address, nuint bytes);

    [LibraryImport(Libc, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint syscall(
        nint number, void* argument1, nint argument2, nint argument3, void* argument4, nint argument5);

    [LibraryImport(Libc, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int pipe(int* ends);

    [LibraryImport(Libc, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint read(int fd, void* buffer, nuint bytes);

    [LibraryImport(Libc, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint write(int fd, void* buffer, nuint bytes);

    [LibraryImport(Libc)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int close(int fd);

    [LibraryImport(Libc)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void* memcpy(void* target, void* source, nuint bytes);
}
