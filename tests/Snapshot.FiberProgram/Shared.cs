namespace Snapshot.FiberProgram;

/// <summary>Each primitive, with a detector of what it must not allow.</summary>
internal static class Shared
{
    internal static async FiberTask Mutex(ArenaPointer<State> s, int fiber, long value)
    {
        await s.Value.Mutex.EnterAsync();
        s.Value.Require(Interlocked.CompareExchange(ref s.Value.InMutex, fiber + 1, 0) == 0, 30);
        s.Value.Require(s.Value.Mutex.IsHeldByCurrent, 31);
        long sum = s.Value.Sum;
        await Fiber.Yield();
        for (int i = 0; i < 20; i++) await Fiber.Safepoint();
        s.Value.Sum = sum + value;
        s.Value.Entered++;
        s.Value.Require(s.Value.Mutex.IsHeldByCurrent, 32);
        s.Value.Require(Interlocked.Exchange(ref s.Value.InMutex, 0) == fiber + 1, 33);
        s.Value.Mutex.Exit();
    }

    internal static async FiberTask ReaderWriter(ArenaPointer<State> s, int fiber, long step)
    {
        if ((step + fiber) % 4 == 0)
        {
            await s.Value.ReaderWriter.EnterWriteAsync();
            s.Value.Require(Interlocked.Increment(ref s.Value.Writers) == 1, 34);
            s.Value.Require(Volatile.Read(ref s.Value.Readers) == 0, 35);
            s.Value.Left++;
            await Fiber.Yield();
            s.Value.Right++;
            s.Value.Require(s.Value.Left == s.Value.Right, 36);
            Interlocked.Decrement(ref s.Value.Writers);
            s.Value.ReaderWriter.ExitWrite();
            return;
        }

        await s.Value.ReaderWriter.EnterReadAsync();
        Interlocked.Increment(ref s.Value.Readers);
        long left = s.Value.Left;
        await Fiber.Yield();
        s.Value.Require(Volatile.Read(ref s.Value.Writers) == 0, 37);
        s.Value.Require(left == s.Value.Right && left == s.Value.Left, 38);
        Interlocked.Decrement(ref s.Value.Readers);
        s.Value.ReaderWriter.ExitRead();
    }

    internal static async FiberTask Semaphore(ArenaPointer<State> s)
    {
        await s.Value.Semaphore.WaitAsync();
        s.Value.Require(Interlocked.Increment(ref s.Value.InSemaphore) <= State.SemaphoreCount, 39);
        await Fiber.Yield();
        Interlocked.Decrement(ref s.Value.InSemaphore);
        s.Value.Semaphore.Release();
    }

    internal static async FiberTask Critical(ArenaPointer<State> s)
    {
        using (await Fiber.CriticalSection())
        {
            Interlocked.Increment(ref s.Value.InCritical);
            await Fiber.Yield();
            using (await Fiber.CriticalSection()) await Fiber.Safepoint();
            Interlocked.Decrement(ref s.Value.InCritical);
        }
    }

    /// <summary>The lock that a handler holds while memory is captured.</summary>
    internal static async FiberTask Log(ArenaPointer<State> s)
    {
        await s.Value.LogLock.EnterAsync();
        s.Value.Require(Interlocked.Increment(ref s.Value.InLog) == 1, 40);
        await Fiber.Safepoint();
        Interlocked.Decrement(ref s.Value.InLog);
        s.Value.LogLock.Exit();
    }

    internal static async FiberTask Barrier(ArenaPointer<State> s, long step)
    {
        if (await s.Value.Barrier.SignalAndWaitAsync()) Interlocked.Increment(ref s.Value.BarrierLasts);
        for (int other = 0; other < State.Fibers; other++) s.Value.Require(s.Value.Of(other).Step > step, 41);
    }
}
