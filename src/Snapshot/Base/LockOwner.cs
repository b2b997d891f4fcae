namespace Snapshot.Base;

/// <summary>
/// Who executes on this thread, as an arena lock sees it: an id that survives a restart, and a way to wait.
/// </summary>
/// <remarks>
/// A lock that lives in an arena is owned by such an id and never by an operating-system thread. Participants
/// and handlers are the owners there are; locks know only this much of them.
/// </remarks>
internal abstract unsafe class LockOwner
{
    [ThreadStatic]
    private static LockOwner? s_current;

    /// <summary>The owner that executes on the calling thread, or null.</summary>
    internal static LockOwner? Current
    {
        get => s_current;
        set => s_current = value;
    }

    /// <summary>The id, at least 1, the same before and after a restart for the same name.</summary>
    internal abstract int OwnerId { get; }

    /// <summary>For messages.</summary>
    internal abstract string OwnerName { get; }

    /// <summary>
    /// Whether it has declared that it touches no arena, so that memory may be captured at any moment. It may
    /// then use no lock. Written by its own thread.
    /// </summary>
    internal bool IsBlocked { get; set; }

    /// <summary>
    /// Waits while <c>*word == expected</c>, at most <paramref name="timeoutNanoseconds"/> (negative: without
    /// limit); may return early for any reason. While it waits the owner counts as stopped: a checkpoint may
    /// be taken, in which case the owner has taken part in it when this returns. The caller must not hold
    /// anything that a checkpoint needs.
    /// </summary>
    /// <returns>False when the time passed.</returns>
    internal abstract bool Wait(uint* word, uint expected, long timeoutNanoseconds);
}
