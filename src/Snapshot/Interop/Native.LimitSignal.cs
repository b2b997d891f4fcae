using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>Imports of limit_signal.c; what each does is said in snapshot_native.h.</summary>
internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_limit_signal_hold(int* held);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_limit_signal_release();
}
