namespace Snapshot.FiberProgram;

/// <summary>What the fibers compute, computed plainly.</summary>
internal static class Plain
{
    internal static long Mix(long a, long b)
    {
        ulong mixed = ((ulong)a ^ ((ulong)b * 0x9E37_79B9_7F4A_7C15)) * 0xBF58_476D_1CE4_E5B9;
        return (long)(mixed ^ (mixed >> 31));
    }

    internal static long Recursive(int depth, long seed) =>
        depth == 0 ? seed : Mix(Recursive(depth - 1, seed), depth);

    internal static long Value(int fiber, long step)
    {
        long spun = 0;
        for (int k = 0; k < Nested.Spins; k++) spun = Mix(spun, k + step);
        long value = Mix(spun, Recursive((int)(step % 6), fiber));
        long thrown = step % 3 == 0 ? Mix(fiber, step) : -1;
        return Mix(value, thrown) + External(fiber, step);
    }

    /// <summary>What an external section of that step gives.</summary>
    internal static long External(int fiber, long step) => HasExternal(fiber, step) ? Mix(step, fiber) : 0;

    internal static bool HasExternal(int fiber, long step) => (step + fiber) % 4 == 0;

    internal static bool HasChildren(int fiber, long step) => (step + fiber) % 5 == 0;

    internal static long Child(int fiber, long step, int child) => Mix(Mix(fiber, child), step);

    internal static long Result(int fiber, long steps)
    {
        long result = fiber;
        for (long step = 0; step < steps; step++)
        {
            result = Mix(result, Value(fiber, step));
            if (!HasChildren(fiber, step)) continue;
            for (int child = 0; child < State.ChildrenPerFiber; child++)
                result = Mix(result, Child(fiber, step, child));
        }

        return result;
    }
}
