using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>Imports of lock.c; what each does is said in snapshot_native.h.</summary>
internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_lock_acquire(int fd);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void sn_lock_release(int fd);
}
