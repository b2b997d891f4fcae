using System.Diagnostics;
using System.Globalization;

namespace Snapshot.FiberProgram;

/// <summary>
/// Many fibers that wait, deep in nested calls; the next process times how long it takes until they go on.
/// </summary>
internal static class ManyFibers
{
    private static SnapshotSession? s_session;
    private static bool s_isRestarted;
    private static bool s_isRequested;
    private static long s_begun;
    private static double s_firstMs;
    private static double s_lookedMs;

    private struct Crowd
    {
        internal ArenaEvent Go;
        internal long Count;
        internal long Depth;
        internal long Waiting;
        internal long Ended;
    }

    internal static int Execute(Options options)
    {
        long opened = Stopwatch.GetTimestamp();
        using SnapshotSession session = SnapshotSession.Open(options.Store);
        s_session = session;
        double openMs = Stopwatch.GetElapsedTime(opened).TotalMilliseconds;
        Arena arena = session.OpenArena("crowd", new ArenaOptions { Capacity = 1L << 32 });
        ref Crowd crowd = ref arena.Root<Crowd>("crowd");
        ArenaPointer<Crowd> s = PointerTo(ref crowd);
        s_isRestarted = session.IsRestarted;
        if (!s_isRestarted)
        {
            crowd.Count = options.Number("--count", 100_000);
            crowd.Depth = options.Number("--depth", 1);
        }

        s_begun = Stopwatch.GetTimestamp();
        session.RunFibers("crowd", arena, () =>
        {
            Fiber.Start(s, static a => Lead(a));
            for (long i = 0; i < s.Value.Count; i++)
                Fiber.Start((s, i), static a => Nest(a.s, a.s.Value.Depth, a.i));
        });
        double allMs = Stopwatch.GetElapsedTime(s_begun).TotalMilliseconds;
        bool isRight = crowd.Ended == crowd.Count;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(isRight ? "ok" : "wrong")}: {crowd.Ended} fibers, depth {crowd.Depth}, " +
            $"restarted {session.IsRestarted}; image read {openMs:F1} ms; from RunFibers to the first " +
            $"continuation {s_firstMs:F1} ms, until all had looked again {s_lookedMs:F1} ms, until all had " +
            $"ended {allMs:F1} ms"));
        return isRight ? 0 : 1;
    }

    /// <summary>
    /// Is captured ready, so it is the first to go on in a new process; there it lets the others go.
    /// </summary>
    private static async FiberTask Lead(ArenaPointer<Crowd> s)
    {
        while (s.Value.Waiting < s.Value.Count) await Fiber.Yield();
        while (!s_isRestarted)
        {
            if (!s_isRequested) Request();
            await Fiber.Yield();
        }

        s_firstMs = Stopwatch.GetElapsedTime(s_begun).TotalMilliseconds;
        await Fiber.Yield();
        s_lookedMs = Stopwatch.GetElapsedTime(s_begun).TotalMilliseconds;
        s.Value.Go.Set();
    }

    private static void Request()
    {
        s_isRequested = true;
        s_session!.RequestCheckpoint().Committed.ContinueWith(
            task => Console.WriteLine($"committed: generation {task.Result.Generation}"),
            TaskScheduler.Default);
    }

    private static async FiberTask<long> Level(ArenaPointer<Crowd> s, long depth, long i)
    {
        if (depth > 1) return await Level(s, depth - 1, i) + 1;
        s.Value.Waiting++;
        await s.Value.Go.WaitAsync();
        return i;
    }

    private static async FiberTask Nest(ArenaPointer<Crowd> s, long depth, long i)
    {
        long value = i;
        if (depth > 1)
        {
            value = await Level(s, depth - 1, i) - (depth - 2);
        }
        else
        {
            s.Value.Waiting++;
            await s.Value.Go.WaitAsync();
        }

        if (value == i) s.Value.Ended++;
    }

    private static unsafe ArenaPointer<Crowd> PointerTo(ref Crowd crowd) =>
        new((Crowd*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref crowd));
}
