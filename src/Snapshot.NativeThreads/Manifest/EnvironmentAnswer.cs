using System.Runtime.InteropServices;

namespace Snapshot.NativeThreads;

/// <summary>struct snt_environment.</summary>
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
