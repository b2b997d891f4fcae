using System.Runtime.InteropServices;

namespace Snapshot.Interop;

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int sn_environment(EnvironmentAnswer* environment);
}

/// <summary>struct sn_environment.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EnvironmentAnswer
{
    internal const int VersionBytes = 40;

    /// <summary>XCR0.</summary>
    internal ulong VectorState;

    /// <summary>AT_MINSIGSTKSZ, in bytes; 0 when the kernel does not tell.</summary>
    internal ulong SignalStackMin;

    /// <summary>Of errno from the thread pointer, in bytes.</summary>
    internal long ErrnoOffset;

    /// <summary>Of the C library; ends with a zero byte.</summary>
    internal fixed byte LibcVersion[VersionBytes];
}
