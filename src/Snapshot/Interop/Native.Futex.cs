using System.Runtime.InteropServices;

namespace Snapshot.Interop;

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_futex_wait(uint* word, uint expected, long timeoutNanoseconds);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_futex_wait_either(
        uint* word1, uint expected1, uint* word2, uint expected2, long timeoutNanoseconds);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_futex_wake(uint* word, int count);
}
