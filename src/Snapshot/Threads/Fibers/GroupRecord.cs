using Snapshot.Memory.Locks;

namespace Snapshot.Threads.Fibers;

/// <summary>Counts the fibers of a group, in an arena. Written by their worker only.</summary>
internal struct GroupRecord
{
    /// <summary>Fibers that have not ended; whoever waits for all of them sleeps on it.</summary>
    internal uint Live;

    /// <summary>Fibers that have ended, modulo 2^32; whoever waits for any of them sleeps on it.</summary>
    internal uint Ended;

    /// <summary>Of these, how many somebody has waited for.</summary>
    internal uint Taken;

    internal byte SizeClass;

    /// <summary>A fiber of the group has ended.</summary>
    internal static unsafe void End(GroupRecord* group)
    {
        Interlocked.Increment(ref group->Ended);
        Interlocked.Decrement(ref group->Live);
        LockWord.Wake(ref group->Ended, LockWord.All);
        if (group->Live == 0) LockWord.Wake(ref group->Live, LockWord.All);
    }
}
