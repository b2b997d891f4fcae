using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>So many fibers, each some frames deep, captured waiting and resumed from the image.</summary>
internal sealed record FiberMeasurement
{
    // Of this process alone: how a fiber knows that it was resumed.
    private static bool s_isResuming;
    private static ManualResetEventSlim s_started = new();
    private static long s_firstResumed;
    private static long s_resumed;

    internal required int Fibers { get; init; }

    /// <summary>Bytes of the arena that frames, records and pools take.</summary>
    internal required long ArenaBytes { get; init; }

    internal required SnapshotInfo Checkpoint { get; init; }

    /// <summary>From opening the store to a session with its arenas filled.</summary>
    internal required TimeSpan Open { get; init; }

    /// <summary>
    /// From the call that runs the fibers to the first that goes on: all frames are restored.
    /// </summary>
    internal required TimeSpan Restore { get; init; }

    /// <summary>From there until every fiber has gone on, returned through its frames and ended.</summary>
    internal required TimeSpan Unwind { get; init; }

    /// <summary>A copy of <see cref="ArenaBytes"/>.</summary>
    internal required TimeSpan Memcpy { get; init; }

    internal static FiberMeasurement Run(int fibers, int depth, string directory)
    {
        using StoreFolder store = new(directory);
        (SnapshotInfo checkpoint, long arenaBytes) = Capture(fibers, depth, store.Path);
        double memcpy = Bench.Memcpy.Milliseconds(arenaBytes);
        long opening = Stopwatch.GetTimestamp();
        using SnapshotSession session = SnapshotSession.Restart(store.Path);
        Arena arena = session.OpenArena("fibers");
        TimeSpan open = Stopwatch.GetElapsedTime(opening);
        s_firstResumed = s_resumed = 0;
        s_isResuming = true;
        long running = Stopwatch.GetTimestamp();
        session.RunFibers("worker", arena, static () => throw new InvalidOperationException("not restarted"));
        long ended = Stopwatch.GetTimestamp();
        if (s_resumed != fibers)
            throw new InvalidOperationException($"{s_resumed} of {fibers} fibers went on");
        return new FiberMeasurement
        {
            Fibers = fibers,
            ArenaBytes = arenaBytes,
            Checkpoint = checkpoint,
            Open = open,
            Restore = Stopwatch.GetElapsedTime(running, s_firstResumed),
            Unwind = Stopwatch.GetElapsedTime(s_firstResumed, ended),
            Memcpy = TimeSpan.FromMilliseconds(memcpy),
        };
    }

    private static (SnapshotInfo Checkpoint, long ArenaBytes) Capture(int fibers, int depth, string store)
    {
        using SnapshotSession session = SnapshotSession.Create(store);
        Arena arena = session.OpenArena("fibers");
        using CancellationTokenSource stop = new();
        using ManualResetEventSlim started = new();
        s_started = started;
        s_isResuming = false;
        Thread worker = new(() =>
        {
            try
            {
                session.RunFibers("worker", arena, () => StartAll(fibers, depth), options: null, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // As asked: the fibers stand where they stood.
            }
        });
        worker.Start();
        started.Wait();
        SnapshotInfo info = session.CheckpointAsync().GetAwaiter().GetResult();
        long bytes = arena.AllocatedBytes;
        stop.Cancel();
        worker.Join();
        return (info, bytes);
    }

    private static void StartAll(int fibers, int depth)
    {
        for (int i = 1; i < fibers; i++) Fiber.Start(depth, static frames => Wait(frames, isLast: false));
        Fiber.Start(depth, static frames => Wait(frames, isLast: true));
    }

    /// <summary>
    /// So many frames, of which the innermost goes round until it runs in the process that resumes.
    /// </summary>
    private static async FiberTask Wait(int depth, bool isLast)
    {
        if (depth > 1)
        {
            await Wait(depth - 1, isLast);
            return;
        }

        while (!s_isResuming)
        {
            if (isLast) s_started.Set();
            await Fiber.Yield();
        }

        if (s_resumed++ == 0) s_firstResumed = Stopwatch.GetTimestamp();
    }
}
