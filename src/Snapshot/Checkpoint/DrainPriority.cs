using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>The priority of the threads that encode a draining image.</summary>
internal static class DrainPriority
{
    /// <summary>
    /// Where the application has work for every processor, about a tenth of one is left to a thread of this nice
    /// value: it yields, and yet the drain comes to an end.
    /// </summary>
    internal const int Nice = 10;

    /// <summary>Lowers the calling thread, for good.</summary>
    /// <exception cref="SnapshotException">
    /// SystemCall: it needs no permission, so something forbids the call.
    /// </exception>
    internal static void Lower() => NativeError.ThrowIfFailed(
        Native.sn_thread_lower(Nice), "setpriority", "Let the process lower the priority of its threads.");
}
