namespace Snapshot.Microbench;

/// <summary>The fiber methods that <see cref="FiberBench"/> measures.</summary>
internal static class FiberLoops
{
    internal static async FiberTask Nothing(int turns)
    {
        long sum = 0;
        for (int turn = 0; turn < turns; turn++) sum = sum * 3 + turn;
        Keep(sum);
    }

    internal static async FiberTask Safepoint(int turns)
    {
        long sum = 0;
        for (int turn = 0; turn < turns; turn++)
        {
            sum = sum * 3 + turn;
            await Fiber.Safepoint();
        }

        Keep(sum);
    }

    internal static async FiberTask Yield(int turns)
    {
        for (int turn = 0; turn < turns; turn++) await Fiber.Yield();
    }

    internal static async FiberTask Deep(int depth, int turns)
    {
        if (depth > 0) await Deep(depth - 1, turns);
        else await Yield(turns);
    }

    internal static async FiberTask Call(int turns)
    {
        long sum = 0;
        for (int turn = 0; turn < turns; turn++) sum += await Same(turn);
        Keep(sum);
    }

    internal static async FiberTask CallThatSuspends(int turns)
    {
        long sum = 0;
        for (int turn = 0; turn < turns; turn++) sum += await SameLater(turn);
        Keep(sum);
    }

    internal static async ValueTask<long> ValueTaskCall(int turns)
    {
        long sum = 0;
        for (int turn = 0; turn < turns; turn++) sum += await SameAsValueTask(turn);
        return sum;
    }

    internal static async FiberTask LockPair(ArenaPointer<State> state, int turns)
    {
        for (int turn = 0; turn < turns; turn++)
        {
            await state.Value.Lock.EnterAsync();
            state.Value.Lock.Exit();
        }
    }

    internal static async FiberTask ChannelHop(ArenaPointer<State> state, int turns)
    {
        FiberHandle writer = Fiber.Start((state, turns), static given => Write(given.state, given.turns));
        for (int turn = 0; turn < turns; turn++) await state.Value.Channel.ReadAsync();
        await writer;
    }

    private static async FiberTask Write(ArenaPointer<State> state, int turns)
    {
        for (int turn = 0; turn < turns; turn++) await state.Value.Channel.WriteAsync(turn);
    }

#pragma warning disable CS1998 // Without await on purpose: what a call costs that does not suspend.
    private static async FiberTask<long> Same(long value) => value;

    private static async ValueTask<long> SameAsValueTask(long value) => value;
#pragma warning restore CS1998

    private static async FiberTask<long> SameLater(long value)
    {
        await Fiber.Yield();
        return value;
    }

    private static void Keep(long sum)
    {
        if (sum == long.MinValue)
            throw new InvalidOperationException("Never: keeps the loop from being removed.");
    }

    /// <summary>What the fibers share.</summary>
    internal struct State
    {
        internal ArenaMutex Lock;
        internal ArenaChannel<long> Channel;
    }
}
