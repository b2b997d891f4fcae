using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>A fiber that keeps a checkpoint from being taken is named.</summary>
public sealed class FiberDeadlineTests
{
    private static volatile bool s_isRunning;
    private static volatile bool s_mayEnd;

    [Fact]
    public void The_error_of_a_deadline_names_the_fiber_that_does_not_await_and_its_method()
    {
        using TemporaryStore store = new();
        using SnapshotSession session = SnapshotSession.Open(store.Path);
        Arena arena = session.OpenArena("fibers");
        s_isRunning = s_mayEnd = false;
        Thread worker = new(
            () => session.RunFibers("busy", arena, () => Fiber.Start(0, static _ => Outer())));
        worker.Start();
        SpinWait.SpinUntil(() => s_isRunning);
        CheckpointOptions options = new() { Timeout = TimeSpan.FromMilliseconds(50) };
        SnapshotException error = Assert.ThrowsAny<SnapshotException>(
            () => session.CheckpointAsync(options).GetAwaiter().GetResult());
        s_mayEnd = true;
        worker.Join();
        Assert.Equal(SnapshotErrorCode.TimedOut, error.Code);
        Assert.Contains(
            "participant 'busy'", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "in fiber 1, last resumed in FiberDeadlineTests.Hog", error.Message, StringComparison.Ordinal);
    }

    private static async FiberTask Outer() => await Hog();

    private static async FiberTask Hog()
    {
        await Fiber.Yield();
        s_isRunning = true;
        SpinWait.SpinUntil(() => s_mayEnd);
    }
}
