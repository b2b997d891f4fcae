using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>
/// Waiting for a word of unmanaged memory to change. Spurious returns are allowed everywhere: callers look
/// again.
/// </summary>
internal static unsafe class Futex
{
    private const long SliceNanoseconds = 1_000_000;
    private const string Advice =
        "Snapshot cannot coordinate threads without futexes; check the seccomp filter of the process.";

    /// <summary>
    /// Linux before 5.16 cannot wait for two words, and the filter of a container may forbid it.
    /// </summary>
    private static bool CanWaitEither => MachineCapabilities.Current[Capability.FutexWaitv];

    /// <returns>False when the time passed.</returns>
    internal static bool Wait(uint* word, uint expected, long timeoutNanoseconds) =>
        IsWoken(Native.sn_futex_wait(word, expected, timeoutNanoseconds), "futex(FUTEX_WAIT)");

    /// <summary>
    /// Waits while both words hold. Where two cannot be waited for it returns at least every millisecond.
    /// </summary>
    /// <returns>False when the time passed.</returns>
    internal static bool WaitEither(
        uint* word1, uint expected1, uint* word2, uint expected2, long timeoutNanoseconds)
    {
        if (!CanWaitEither) return WaitSlice(word1, expected1, word2, expected2, timeoutNanoseconds);
        int errno = Native.sn_futex_wait_either(word1, expected1, word2, expected2, timeoutNanoseconds);
        return IsWoken(errno, "futex_waitv");
    }

    internal static void WakeOne(uint* word) => Wake(word, 1);

    internal static void WakeAll(uint* word) => Wake(word, int.MaxValue);

    /// <param name="word">The word.</param>
    /// <param name="count">As many of those asleep at most.</param>
    /// <param name="advice">What to do when it fails.</param>
    internal static void Wake(uint* word, int count, string advice = Advice) =>
        NativeError.ThrowIfFailed(Native.sn_futex_wake(word, count), "futex(FUTEX_WAKE)", advice);

    /// <summary>
    /// One millisecond of the first word alone; a change of the second is seen by the caller afterwards.
    /// </summary>
    internal static bool WaitSlice(
        uint* word1, uint expected1, uint* word2, uint expected2, long timeoutNanoseconds)
    {
        if (Volatile.Read(ref *word2) != expected2) return true;
        bool isLast = timeoutNanoseconds >= 0 && timeoutNanoseconds <= SliceNanoseconds;
        return Wait(word1, expected1, isLast ? timeoutNanoseconds : SliceNanoseconds) || !isLast;
    }

    private static bool IsWoken(int errno, string step) => errno switch
    {
        0 or Errno.TryAgain or Errno.Interrupted => true,
        Errno.TimedOut => false,
        _ => throw NativeError.For(errno, step, Advice),
    };
}
