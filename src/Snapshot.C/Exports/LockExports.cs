using System.Runtime.InteropServices;
using Snapshot.C.Interface;

namespace Snapshot.C.Exports;

/// <summary>Locks in arenas. What each export does is said in snapshot.h.</summary>
internal static unsafe class LockExports
{
    [UnmanagedCallersOnly(EntryPoint = "snapshot_mutex_lock")]
    private static int MutexLock(ArenaMutex* mutex)
    {
        try
        {
            LockMemory.Require(mutex);
            mutex->Enter();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_mutex_try_lock")]
    private static int MutexTryLock(ArenaMutex* mutex)
    {
        try
        {
            LockMemory.Require(mutex);
            return mutex->TryEnter() ? Result.Good : Result.Of(LockMemory.IsHeld());
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_mutex_unlock")]
    private static int MutexUnlock(ArenaMutex* mutex)
    {
        try
        {
            LockMemory.Require(mutex);
            mutex->Exit();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_mutex_is_held")]
    private static int MutexIsHeld(ArenaMutex* mutex)
    {
        try
        {
            LockMemory.Require(mutex);
            return mutex->IsHeldByCurrent ? 1 : 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_barrier_init")]
    private static int BarrierInit(ArenaBarrier* barrier, int participants)
    {
        try
        {
            LockMemory.Require(barrier);
            barrier->Initialize(participants);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_barrier_wait")]
    private static int BarrierWait(ArenaBarrier* barrier)
    {
        try
        {
            LockMemory.Require(barrier);
            return barrier->SignalAndWait() ? 1 : 0;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_semaphore_init")]
    private static int SemaphoreInit(ArenaSemaphore* semaphore, int count)
    {
        try
        {
            LockMemory.Require(semaphore);
            semaphore->Initialize(count);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_semaphore_wait")]
    private static int SemaphoreWait(ArenaSemaphore* semaphore)
    {
        try
        {
            LockMemory.Require(semaphore);
            semaphore->Wait();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_semaphore_try_wait")]
    private static int SemaphoreTryWait(ArenaSemaphore* semaphore)
    {
        try
        {
            LockMemory.Require(semaphore);
            return semaphore->TryWait() ? Result.Good : Result.Of(LockMemory.IsHeld());
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_semaphore_release")]
    private static int SemaphoreRelease(ArenaSemaphore* semaphore, int count)
    {
        try
        {
            LockMemory.Require(semaphore);
            semaphore->Release(count);
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_rwlock_lock_read")]
    private static int RwlockLockRead(ArenaReaderWriterLock* rwlock)
    {
        try
        {
            LockMemory.Require(rwlock);
            rwlock->EnterRead();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_rwlock_unlock_read")]
    private static int RwlockUnlockRead(ArenaReaderWriterLock* rwlock)
    {
        try
        {
            LockMemory.Require(rwlock);
            rwlock->ExitRead();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_rwlock_lock_write")]
    private static int RwlockLockWrite(ArenaReaderWriterLock* rwlock)
    {
        try
        {
            LockMemory.Require(rwlock);
            rwlock->EnterWrite();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "snapshot_rwlock_unlock_write")]
    private static int RwlockUnlockWrite(ArenaReaderWriterLock* rwlock)
    {
        try
        {
            LockMemory.Require(rwlock);
            rwlock->ExitWrite();
            return Result.Good;
        }
        catch (Exception error)
        {
            return Result.Of(error);
        }
    }
}
