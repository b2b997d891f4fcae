namespace Snapshot.C;

/// <summary>Where C says that an arena lock is.</summary>
internal static unsafe class LockMemory
{
    /// <exception cref="ArgumentException">There can be none.</exception>
    internal static void Require<T>(T* memory)
        where T : unmanaged
    {
        ForkedException.ThrowIfChild();
        if (memory is null) throw new ArgumentException("The lock is NULL.");
        if ((nint)memory % (typeof(T) == typeof(ArenaBarrier) ? sizeof(ulong) : sizeof(uint)) != 0)
            throw new ArgumentException("The lock is not aligned as its type must be.");
    }

    internal static SnapshotException IsHeld() =>
        new(SnapshotErrorCode.Busy, "Somebody else holds the lock.");
}
