namespace Snapshot.Memory.Locks;

/// <summary>A waiter that is no thread: a suspended fiber, as the wait table sees it.</summary>
/// <remarks>
/// Part of a fiber's record in an arena, so that waiting allocates nothing. What it says of the table
/// (everything but <see cref="OwnerId"/> and <see cref="Granted"/>) holds in the process that wrote it only:
/// after a restart nobody waits, and every fiber that was captured waiting looks again. Who may write: the
/// fiber's worker while <see cref="Word"/> is null, the holder of the bucket's lock while it is not, and
/// between the two whoever took it out of the bucket.
/// </remarks>
internal unsafe struct WaitNode
{
    /// <summary>The next in the bucket or, once woken, in the inbox.</summary>
    internal WaitNode* Next;

    /// <summary>The word it waits for; null when it is not in the table.</summary>
    internal uint* Word;

    /// <summary>Where it goes when it is woken.</summary>
    internal WaitInbox* Inbox;

    /// <summary>Who would own the lock: at least 1.</summary>
    internal int OwnerId;

    /// <summary>Whether it was woken before and found the lock taken again, and what it wants.</summary>
    internal Craving Craving;

    /// <summary>
    /// Not zero: what it waits for was given to it. Unlike the rest this is true in another process, too.
    /// </summary>
    internal int Granted;
}

/// <summary>What a waiter that was passed over wants: the next to leave hands it over.</summary>
internal enum Craving
{
    /// <summary>It was not passed over.</summary>
    None,

    /// <summary>The lock alone; a reader-writer lock for writing.</summary>
    Exclusive,

    /// <summary>A reader-writer lock for reading.</summary>
    Shared,
}
