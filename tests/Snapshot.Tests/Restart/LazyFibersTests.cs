using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>Fibers whose frames, and whose data, are still to come.</summary>
[Needs(Capability.PagesOnDemand)]
public sealed class LazyFibersTests
{
    private const int Fibers = 200;
    private const int LongsEach = 4096;

    private static volatile bool s_mayEnd;
    private static int s_waiting;

    private struct Result
    {
        public long Sum;
        public long Ended;
    }

    [MachineTheory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Fibers_go_on_from_frames_and_to_data_that_come_when_they_are_touched(int streaming)
    {
        using TemporaryStore store = new();
        s_mayEnd = false;
        s_waiting = 0;
        await using (SnapshotSession session = SnapshotSession.Open(store.Path))
        {
            Arena arena = session.OpenArena("fibers", new ArenaOptions { Capacity = 128L << 20 });
            ArenaArray<long> data = arena.RootArray<long>("data", (long)Fibers * LongsEach);
            for (int index = 0; index < data.Length; index++) data[index] = index;
            using CancellationTokenSource stop = new();
            Thread worker = new(() => Assert.ThrowsAny<OperationCanceledException>(
                () => session.RunFibers("worker", arena, () => StartAll(arena), options: null, stop.Token)));
            worker.Start();
            SpinWait.SpinUntil(() => Volatile.Read(ref s_waiting) == Fibers);
            await session.CheckpointAsync();
            await stop.CancelAsync();
            worker.Join();
        }

        s_mayEnd = true;
        await using SnapshotSession restarted = SnapshotSession.Restart(
            store.Path,
            new SnapshotOptions
            {
                Restart =
                new RestartOptions { Fill = RestartFill.Lazy, StreamingThreads = streaming }
            });
        Arena again = restarted.OpenArena("fibers");
        restarted.RunFibers(
            "worker", again, static () => throw new InvalidOperationException("the image has them"));
        const long Count = (long)Fibers * LongsEach;
        Assert.Equal((Count * (Count - 1) / 2, Fibers), Outcome(again));
        Assert.True(restarted.Restarted!.Residency.FaultsServed > 0);
    }

    private static (long Sum, long Ended) Outcome(Arena arena)
    {
        ref Result result = ref arena.Root<Result>("result");
        return (result.Sum, result.Ended);
    }

    private static unsafe void StartAll(Arena arena)
    {
        ArenaPointer<long> data = new(arena.RootArray<long>("data", (long)Fibers * LongsEach).Pointer);
        ArenaPointer<Result> result = new(arena.RootPointer<Result>("result"));
        for (int index = 0; index < Fibers; index++)
            Fiber.Start((data, result, index), static a => Add(a.data, a.result, a.index));
    }

    private static async FiberTask Add(ArenaPointer<long> data, ArenaPointer<Result> result, int index)
    {
        long sum = SumOf(data, index, 0, LongsEach / 2);
        Interlocked.Increment(ref s_waiting);
        while (!s_mayEnd) await Fiber.Yield();
        for (int from = LongsEach / 2; from < LongsEach; from += 512)
        {
            sum += SumOf(data, index, from, from + 512);
            await Fiber.Safepoint();
        }

        result.Value.Sum += sum;
        result.Value.Ended++;
    }

    private static unsafe long SumOf(ArenaPointer<long> data, int index, int from, int to)
    {
        long sum = 0;
        fixed (long* first = &data.Value)
            for (int at = from; at < to; at++) sum += first[(long)index * LongsEach + at];
        return sum;
    }
}
