using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>The signal by which the runtime stops threads for a collection of its memory.</summary>
internal static unsafe class RuntimeSignal
{
    private const int TextBytes = 1024;

    /// <exception cref="InvalidOperationException">The program has taken it, and would get signals that are
    /// not for it, while the runtime waits for ever.</exception>
    internal static void ThrowIfTaken()
    {
        void* handler = null;
        int number = LibraryNative.sn_runtime_signal_taken(&handler);
        if (number == 0) return;
        byte* text = stackalloc byte[TextBytes];
        LibraryNative.sn_describe_address(handler, text, TextBytes);
        throw new InvalidOperationException(
            $"Signal {number} (SIGRTMIN) belongs to libsnapshot, and the program has since installed " +
            $"{Marshal.PtrToStringUTF8((nint)text)} for it. Install it before snapshot_open, which passes " +
            "on what is not its own, or take another signal.");
    }
}
