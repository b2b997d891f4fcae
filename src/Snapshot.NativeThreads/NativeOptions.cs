using Snapshot.Base;

namespace Snapshot.NativeThreads;

/// <summary>How the native threads of a session live. Immutable.</summary>
/// <remarks>
/// What concerns memory counts when an arena gets its first native thread; a restart keeps what was.
/// </remarks>
public sealed class NativeOptions
{
    /// <summary>The smallest stack, and the unit of stacks, in bytes.</summary>
    internal const long StackGrain = 64L << 10;

    /// <summary>The smallest heap, in bytes.</summary>
    internal const long MinHeapBytes = 4L << 20;

    /// <summary>
    /// The memory from which <c>malloc</c> of native modules takes, in bytes; unused memory costs nothing.
    /// </summary>
    /// <value>Default: 0, half of the arena's capacity. At least 4 MiB.</value>
    /// <exception cref="ArgumentOutOfRangeException">It is less and not 0.</exception>
    public long HeapBytes { get; init => field = value == 0 ? 0 : OptionValue.AtLeast(value, MinHeapBytes); }

    /// <summary>
    /// The stack of each thread, in bytes; a thread that needs more is ended with the process.
    /// </summary>
    /// <value>Default: 1 MiB. A multiple of 64 KiB.</value>
    /// <exception cref="ArgumentOutOfRangeException">It is none, or not positive.</exception>
    public long StackBytes
    {
        get;
        init => field = OptionValue.MultipleOf(OptionValue.AtLeast(value, StackGrain), StackGrain);
    } = 1L << 20;

    /// <summary>
    /// The real-time signal that stops native threads; nobody else in the process may handle it.
    /// </summary>
    /// <value>Default: 42. From 36 to 64: 32 to 34 are the C library's and the runtime's.</value>
    /// <exception cref="ArgumentOutOfRangeException">It is another.</exception>
    public int Signal { get; init => field = OptionValue.InRange(value, 36, 64); } = 42;

    /// <summary>
    /// A debugging aid: told of each word of captured memory that points out of it, as often as native
    /// threads are stopped, on the thread that stops them. It lengthens each pause by a look at stacks, heap
    /// and variables. What it throws is in <see cref="SnapshotInfo.SubscriberErrors"/>.
    /// </summary>
    /// <value>Default: null, nobody looks.</value>
    public Action<NativeFinding>? Audit { get; init; }

    /// <summary>
    /// Sync handlers that run on behalf of all native threads while these are stopped, in this order
    /// registered. They must not wait for a lock that a native thread may hold.
    /// </summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<(string Name, ICheckpointHandler Handler)> Handlers { get; init; } = [];
}
