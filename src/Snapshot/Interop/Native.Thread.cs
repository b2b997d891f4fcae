using System.Runtime.InteropServices;

namespace Snapshot.Interop;

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_thread_nice(int nice, int* raised);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_thread_time(ulong* time);
}
