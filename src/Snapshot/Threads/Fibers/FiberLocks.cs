using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Memory.Locks;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// The waits of arena locks for fibers: the same locks as threads and handlers use, awaited.
/// </summary>
/// <remarks>
/// <para>A fiber that waits is suspended, so its worker reaches a checkpoint, and is captured waiting; in a
/// new process it looks again. Without contention an operation is as cheap as that of a thread and makes no
/// frame. The lock must lie in an arena.</para>
/// <para>A fiber may be woken and find the lock taken again. Then one of the next that leave hands it the
/// lock, so no fiber is woken in vain twice. Events and barriers have nothing to hand over.</para>
/// </remarks>
public static class FiberLocks
{
    /// <summary>Enters the mutex. The fiber is its owner; leave with <see cref="ArenaMutex.Exit"/>.</summary>
    /// <exception cref="InvalidOperationException">The fiber holds it already, or the thread runs no
    /// fibers.</exception>
    public static FiberTask EnterAsync(this ref ArenaMutex mutex)
    {
        LockOwner owner = FiberScheduler.OfThread;
        if (mutex.TryEnterAtOnce(owner)) return FiberTask.Completed;
        mutex.ThrowIfHeldBy(owner);
        return EnterSlowly(Of(ref mutex));
    }

    /// <summary>Enters for reading; leave with <see cref="ArenaReaderWriterLock.ExitRead"/>.</summary>
    /// <exception cref="InvalidOperationException">The fiber holds it for writing.</exception>
    public static FiberTask EnterReadAsync(this ref ArenaReaderWriterLock target)
    {
        LockOwner owner = FiberScheduler.OfThread;
        if (target.TryReadAtOnce()) return FiberTask.Completed;
        target.ThrowIfWriter(owner);
        return ReadSlowly(Of(ref target));
    }

    /// <summary>Enters for writing; leave with <see cref="ArenaReaderWriterLock.ExitWrite"/>.</summary>
    /// <exception cref="InvalidOperationException">The fiber holds it for writing already.</exception>
    public static FiberTask EnterWriteAsync(this ref ArenaReaderWriterLock target)
    {
        LockOwner owner = FiberScheduler.OfThread;
        if (target.TryWriteAtOnce(owner)) return FiberTask.Completed;
        target.ThrowIfWriter(owner);
        return WriteSlowly(Of(ref target));
    }

    /// <summary>Takes one from the semaphore.</summary>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    public static FiberTask WaitAsync(this ref ArenaSemaphore semaphore)
    {
        _ = FiberScheduler.OfThread;
        return semaphore.TakeAtOnce() ? FiberTask.Completed : TakeSlowly(Of(ref semaphore));
    }

    /// <summary>Passes when the event is set.</summary>
    /// <exception cref="InvalidOperationException">The thread runs no fibers.</exception>
    public static FiberTask WaitAsync(this ref ArenaEvent target)
    {
        _ = FiberScheduler.OfThread;
        return target.PassAtOnce(hasSlept: false) ? FiberTask.Completed : PassSlowly(Of(ref target));
    }

    /// <summary>Arrives at the barrier, and waits until all have arrived in this phase.</summary>
    /// <returns>True in exactly one participant per phase: the last to arrive.</returns>
    /// <exception cref="InvalidOperationException">The barrier was not initialized, or the thread runs no
    /// fibers.</exception>
    public static FiberTask<bool> SignalAndWaitAsync(this ref ArenaBarrier barrier)
    {
        _ = FiberScheduler.OfThread;
        return barrier.ArriveWithoutRecord(out uint phase)
            ? new FiberTask<bool>(true)
            : WaitWhilePhase(Of(ref barrier), phase);
    }

    private static async FiberTask EnterSlowly(ArenaPointer<ArenaMutex> mutex)
    {
        for (bool hasSlept = false; ; hasSlept = true)
        {
            LockOwner owner = FiberScheduler.OfThread;
            if (hasSlept && mutex.Value.OwnerId == owner.OwnerId) return;
            if (mutex.Value.TryEnterOrMark(owner, hasSlept, out uint expected)) return;
            await WordWait.While(ref mutex.Value.Word, expected, hasSlept ? Craving.Exclusive : Craving.None);
        }
    }

    private static async FiberTask ReadSlowly(ArenaPointer<ArenaReaderWriterLock> target)
    {
        for (bool hasSlept = false; ; hasSlept = true)
        {
            if (TakeGrant()) return;
            bool yields = !hasSlept;
            if (target.Value.TryReadOrMark(ref yields, out uint expected)) return;
            await (yields
                ? WordWait.AtMost(ArenaReaderWriterLock.YieldNanoseconds, ref target.Value.Word, expected)
                : WordWait.While(ref target.Value.Word, expected, hasSlept ? Craving.Shared : Craving.None));
        }
    }

    private static async FiberTask WriteSlowly(ArenaPointer<ArenaReaderWriterLock> target)
    {
        for (bool hasSlept = false; ; hasSlept = true)
        {
            if (TakeGrant()) return;
            if (target.Value.TryWriteOrMark(FiberScheduler.OfThread, out uint expected)) return;
            await WordWait.While(
                ref target.Value.Word, expected, hasSlept ? Craving.Exclusive : Craving.None);
        }
    }

    private static async FiberTask TakeSlowly(ArenaPointer<ArenaSemaphore> semaphore)
    {
        for (bool hasSlept = false; ; hasSlept = true)
        {
            if (TakeGrant()) return;
            if (semaphore.Value.TryTakeOrMark(hasSlept, out uint expected)) return;
            await WordWait.While(
                ref semaphore.Value.Word, expected, hasSlept ? Craving.Exclusive : Craving.None);
        }
    }

    private static async FiberTask PassSlowly(ArenaPointer<ArenaEvent> target)
    {
        for (bool hasSlept = false; !target.Value.TryPassOrMark(hasSlept, out uint expected); hasSlept = true)
            await WordWait.While(ref target.Value.Word, expected);
    }

    private static async FiberTask<bool> WaitWhilePhase(ArenaPointer<ArenaBarrier> barrier, uint phase)
    {
        while (barrier.Value.Phase == phase) await WordWait.While(ref barrier.Value.PhaseWord(), phase);
        return false;
    }

    /// <summary>Whether the one who left gave what the fiber waits for; told once.</summary>
    private static unsafe bool TakeGrant()
    {
        FiberRecord* fiber = FiberScheduler.OfThread.Running;
        bool isGranted = fiber->Wait.Granted != 0;
        fiber->Wait.Granted = 0;
        return isGranted;
    }

    // A lock lies in an arena, so its address stays.
    private static unsafe ArenaPointer<T> Of<T>(ref T target) where T : unmanaged =>
        new((T*)Unsafe.AsPointer(ref target));
}
