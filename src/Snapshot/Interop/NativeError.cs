using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>Turns the errno of a step into the exception that names both.</summary>
internal static class NativeError
{
    private const int TryAgain = 11;
    private const int NoMemory = 12;
    private const int NoSpace = 28;

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

    /// <summary>
    /// For a step that takes memory, addresses or mappings: the advice to leave more of them is given where
    /// they were what the kernel lacked, and not for a call that it does not take.
    /// </summary>
    internal static SnapshotException ForMemory(int errno, string step, string advice) => For(
        errno, step,
        errno is NoMemory or TryAgain or NoSpace
            ? advice
            : "This is no lack of memory: the kernel refuses the call itself. A sandbox, a seccomp filter " +
              "or a kernel without it are causes; 'snapshot doctor' shows what works here.");

    /// <inheritdoc cref="ForMemory"/>
    internal static void ThrowIfNoMemory(int errno, string step, string advice)
    {
        if (errno != 0) throw ForMemory(errno, step, advice);
    }
}
