namespace Snapshot.FiberProgram;

/// <summary>Calls within calls: with results, generic ones, recursive ones, and such that throw.</summary>
internal static class Nested
{
    internal const int Spins = 400;

    internal struct Both<T>
    {
        internal T First;
        internal long Second;
    }

    private sealed class Thrown(long value) : Exception
    {
        internal long Value { get; } = value;
    }

    internal static async FiberTask<long> Value(ArenaPointer<State> s, int fiber, long step)
    {
        long spun = await Spin(step);
        Both<int> both = await Twice(s, (int)(step % 6), fiber);
        s.Value.Require(both.First == (int)(step % 6), 10);
        long value = Plain.Mix(spun, both.Second);
        long thrown = -1;
        try
        {
            await Through(s, fiber, step);
        }
        catch (Thrown error) when (error.Value != -1)
        {
            thrown = error.Value;
        }

        value = Plain.Mix(value, thrown);
        if (!Plain.HasExternal(fiber, step)) return value;
        long external = step % 8 < 4
            ? await Fiber.External<Repeated, long>(new Repeated { Fiber = fiber, Step = step })
            : await Fiber.External<Held, long>(
                new Held { Fiber = fiber, Step = step }, ExternalMode.HoldCheckpoints);
        return value + external;
    }

    private static async FiberTask<long> Spin(long step)
    {
        long spun = 0;
        for (int k = 0; k < Spins; k++)
        {
            spun = Plain.Mix(spun, k + step);
            await Fiber.Safepoint();
        }

        return spun;
    }

    private static async FiberTask<Both<T>> Twice<T>(ArenaPointer<State> s, T first, int fiber)
        where T : unmanaged, IConvertible
    {
        long second = await Recursive(first.ToInt32(null), fiber);
        await Fiber.Yield();
        return new Both<T> { First = first, Second = second };
    }

    private static async FiberTask<long> Recursive(int depth, long seed)
    {
        if (depth == 0)
        {
            await Fiber.Yield();
            return seed;
        }

        long below = await Recursive(depth - 1, seed);
        return Plain.Mix(below, depth);
    }

    /// <summary>What the inner one throws passes through a frame with a finally block.</summary>
    private static async FiberTask Through(ArenaPointer<State> s, int fiber, long step)
    {
        try
        {
            await Throw(fiber, step);
        }
        finally
        {
            Interlocked.Increment(ref s.Value.InnerFinallys);
        }
    }

    private static async FiberTask Throw(int fiber, long step)
    {
        if (step % 2 == 0) await Fiber.Yield();
        if (step % 3 == 0) throw new Thrown(Plain.Mix(fiber, step));
        await Fiber.Safepoint();
    }

    /// <summary>May run again after a restart.</summary>
    private struct Repeated : IExternalSection<long>
    {
        internal int Fiber;
        internal long Step;

        public readonly async Task<long> RunAsync(CancellationToken cancellation)
        {
            (int fiber, long step) = (Fiber, Step);
            if (step % 3 != 0) await Task.Delay(1, cancellation);
            await Task.Yield();
            return Plain.External(fiber, step);
        }
    }

    /// <summary>No image may be taken meanwhile: handlers look at the number of those that run.</summary>
    internal struct Held : IExternalSection<long>
    {
        internal static int Running;

        internal int Fiber;
        internal long Step;

        public readonly async Task<long> RunAsync(CancellationToken cancellation)
        {
            (int fiber, long step) = (Fiber, Step);
            Interlocked.Increment(ref Running);
            try
            {
                await Task.Delay(1, cancellation);
            }
            finally
            {
                Interlocked.Decrement(ref Running);
            }

            return Plain.External(fiber, step);
        }
    }
}
