using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>Direct I/O for a file that is open.</summary>
internal static partial class DirectFile
{
    /// <exception cref="IOException">The file system refuses it.</exception>
    internal static void Set(SafeFileHandle file)
    {
        int error = sn_bench_set_direct((int)file.DangerousGetHandle());
        if (error != 0)
            throw new IOException($"direct I/O was refused: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("snapshot_bench_native")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_bench_set_direct(int file);
}
