using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>Turns the errno of a step into the exception that names both.</summary>
internal static class NativeError
{
    internal static void ThrowIfFailed(int errno, string step, string advice)
    {
        if (errno != 0) throw For(errno, step, advice);
    }

    internal static SnapshotException For(int errno, string step, string advice) =>
        new(
            SnapshotErrorCode.SystemCall,
            $"{step} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}). {advice}")
        {
            Step = step,
            Errno = errno,
        };
}
