using System.Runtime.CompilerServices;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// How many reasons there are in the process for some fiber to suspend at a safepoint: what all safepoints
/// read.
/// </summary>
/// <remarks>
/// A static field without an initializer has a fixed address, so that the common answer, none, is one load
/// and one compare, without the way through the thread's scheduler. It only saves that way: whoever finds a
/// reason looks at the hints of its own worker, which decide. So it may count too many (a session that failed
/// keeps its reason), but never too few for long: a hint is counted right after it was set, and a fiber that
/// missed it sees it at its next safepoint.
/// </remarks>
internal static class StopSignal
{
    private static int s_reasons;

    internal static bool IsQuiet
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Volatile.Read(ref s_reasons) == 0;
    }

    /// <summary>The address of what safepoints read, for those that are not C#.</summary>
    internal static unsafe int* Word => (int*)Unsafe.AsPointer(ref s_reasons);

    internal static int Reasons => Volatile.Read(ref s_reasons);

    internal static void Add() => Interlocked.Increment(ref s_reasons);

    internal static void Remove() => Interlocked.Decrement(ref s_reasons);
}
