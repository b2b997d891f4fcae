namespace Snapshot.FiberProgram;

/// <summary>The steps of the fibers.</summary>
internal static class Work
{
    private const int StepsBetweenBarriers = 5;

    internal static async FiberTask Run(ArenaPointer<State> s, int fiber)
    {
        long result = fiber;
        for (long step = 0; step < s.Value.Steps; step++)
        {
            s.Value.Require(s.Value.Of(fiber).Step == step, 20);
            try
            {
                long value = await Nested.Value(s, fiber, step);
                result = Plain.Mix(result, value);
                await Shared.Mutex(s, fiber, value);
                await Shared.ReaderWriter(s, fiber, step);
                await Shared.Semaphore(s);
                await Shared.Critical(s);
                await Shared.Log(s);
                await Exchange(s, fiber, step, value);
                if (Plain.HasChildren(fiber, step)) result = await Children(s, fiber, step, result);
                if ((step + fiber) % 11 == 0) await Fiber.Delay(TimeSpan.FromMilliseconds(0.3));
            }
            finally
            {
                Interlocked.Increment(ref s.Value.Finallys);
            }

            s.Value.Of(fiber).Step = step + 1;
            if (step % StepsBetweenBarriers == 0) await Shared.Barrier(s, step);
        }

        s.Value.Of(fiber).Result = result;

        // Nobody ends while another one may still look at what it has.
        await Shared.Barrier(s, s.Value.Steps - 1);
    }

    internal static long BarriersOf(long steps) =>
        (steps + StepsBetweenBarriers - 1) / StepsBetweenBarriers + 1;

    /// <summary>Two fibers of different workers: one gives, the other takes.</summary>
    private static async FiberTask Exchange(ArenaPointer<State> s, int fiber, long step, long value)
    {
        int pair = PairOf(fiber, out bool gives);
        if (gives)
        {
            await s.Value.PairStates[pair].Ordered.WriteAsync(step);
            s.Value.PairStates[pair].Ping.Set();
            await s.Value.PairStates[pair].Pong.WaitAsync();
            await s.Value.Shared.WriteAsync(value);
            if (step % 7 != 0) return;
            FiberHandle child = Fiber.Start((s, fiber, step), static a => Child(a.s, a.fiber, a.step, 0));
            await s.Value.PairStates[pair].Handles.WriteAsync(child);
            await child;
            return;
        }

        await s.Value.PairStates[pair].Ping.WaitAsync();
        s.Value.PairStates[pair].Pong.Set();
        long read = await s.Value.PairStates[pair].Ordered.ReadAsync();
        s.Value.Require(read == step, 21);
        bool isThere = await s.Value.Shared.WaitToReadAsync();
        s.Value.Require(isThere, 22);
        long shared = await s.Value.Shared.ReadAsync();
        Interlocked.Add(ref s.Value.SharedSum, shared);
        if (step % 7 != 0) return;
        FiberHandle other = await s.Value.PairStates[pair].Handles.ReadAsync();
        await other;
        s.Value.Require(other.HasEnded, 23);
        s.Value.Of(fiber).Joined++;
    }

    private static async FiberTask<long> Children(ArenaPointer<State> s, int fiber, long step, long result)
    {
        for (int child = 0; child < State.ChildrenPerFiber; child++)
            s.Value.Of(fiber).ChildResults[child] = -1;
        FiberGroup group = Fiber.OpenGroup();
        for (int child = 0; child < State.ChildrenPerFiber; child++)
            _ = group.Start((s, fiber, step, child), static a => Child(a.s, a.fiber, a.step, a.child));
        int ends = 0;
        if (step % 2 == 0)
        {
            while (await group.WhenAny()) ends++;
            s.Value.Require(ends == State.ChildrenPerFiber, 24);
        }

        await group.WhenAll();
        s.Value.Require(group.LiveCount == 0, 25);
        group.Dispose();
        for (int child = 0; child < State.ChildrenPerFiber; child++)
            result = Plain.Mix(result, s.Value.Of(fiber).ChildResults[child]);
        return result;
    }

    private static async FiberTask Child(ArenaPointer<State> s, int fiber, long step, int child)
    {
        if (child == 1) await Fiber.Yield();
        if (child == 2) await Fiber.Delay(TimeSpan.FromMilliseconds(0.1));
        await Fiber.Safepoint();
        s.Value.Of(fiber).ChildResults[child] = Plain.Child(fiber, step, child);
    }

    /// <summary>Its partner has the same place in the next worker.</summary>
    private static int PairOf(int fiber, out bool gives)
    {
        (int worker, int place) = Math.DivRem(fiber, State.FibersPerWorker);
        gives = worker % 2 == 0;
        return worker / 2 * State.FibersPerWorker + place;
    }
}
