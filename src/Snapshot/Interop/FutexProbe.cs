using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>Whether a thread can sleep on two words.</summary>
internal static unsafe class FutexProbe
{
    private const int TryAgain = 11; // EAGAIN
    private const ulong PrivateWord = 0x82; // FUTEX2_SIZE_U32 | FUTEX2_PRIVATE

    /// <summary>
    /// Asks to sleep while two words hold values of which one is wrong: a kernel that knows the call answers
    /// EAGAIN.
    /// </summary>
    internal static Finding Run()
    {
        // struct futex_waitv: u64 value, u64 address, u32 flags, u32 reserved.
        // The values expected are 0 and 1; the word, asked for twice, holds 1.
        uint word = 1;
        ulong* waiters = stackalloc ulong[6];
        for (int index = 0; index < 2; index++)
        {
            waiters[(3 * index) + 0] = (ulong)index;
            waiters[(3 * index) + 1] = (ulong)&word;
            waiters[(3 * index) + 2] = PrivateWord;
        }

        nint result = ProbeCalls.syscall((nint)ProbeCalls.FutexWaitv, waiters, 2, 0, null, 0);
        int errno = Marshal.GetLastPInvokeError();
        return result == -1 && errno == TryAgain
            ? new Finding(true, "two words are compared in one call")
            : Finding.No($"the call answered {result}", errno);
    }
}
