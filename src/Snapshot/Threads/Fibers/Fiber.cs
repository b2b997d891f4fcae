using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>What a fiber does to itself, and how it starts others.</summary>
/// <remarks>
/// All members are for code that executes in a fiber, <see cref="Start{TArgument}"/> also for the delegate
/// that starts the first ones; elsewhere they throw <see cref="InvalidOperationException"/>.
/// </remarks>
public static class Fiber
{
    /// <summary>How often a fiber looks whether a checkpoint is still pending.</summary>
    private const long RetryNanoseconds = 200_000;

    /// <summary>The fiber that executes.</summary>
    public static unsafe FiberHandle Current
    {
        get
        {
            FiberRecord* running = FiberScheduler.OfThread.Running;
            return running != null ? new FiberHandle(running) : throw new InvalidOperationException(
                "No fiber executes here: this is the delegate that starts the first ones.");
        }
    }

    /// <summary>
    /// <c>await Fiber.Safepoint();</c> A place where the fiber may be captured: about a nanosecond while
    /// nothing is pending. It does not let other fibers of the worker go on.
    /// </summary>
    public static SafepointAwaiter Safepoint() => default;

    /// <summary>
    /// <c>await Fiber.Yield();</c> Lets all other fibers of the worker go on first. A safepoint.
    /// </summary>
    public static YieldAwaiter Yield() => default;

    /// <summary>
    /// Waits for a time. After a restart the fiber waits for what was left of it at the capture.
    /// </summary>
    /// <param name="time">Not negative; zero: as <see cref="Yield"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static FiberTask Delay(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        double nanoseconds = time.TotalSeconds * 1e9;
        long deadline = FiberScheduler.OfThread.Waits.Now + (long)Math.Min(nanoseconds, long.MaxValue / 2);
        return WaitUntil(deadline);
    }

    /// <summary>
    /// Starts a fiber on the same worker. It begins when those that are ready now have had their turn.
    /// </summary>
    /// <param name="argument">Given to <paramref name="body"/>.</param>
    /// <param name="body">
    /// Calls one fiber method and returns what that returns: <c>static a => Work(a)</c>, or is an
    /// <c>async</c> lambda itself. Called at once; only the call is kept. An exception that leaves it ends
    /// the worker (<see cref="SnapshotErrorCode.FiberFailed"/>).
    /// </param>
    /// <returns>To wait for its end: <c>await handle</c>.</returns>
    /// <exception cref="SnapshotException">ArenaFull: nothing was started.</exception>
    public static unsafe FiberHandle Start<TArgument>(TArgument argument, Func<TArgument, FiberTask> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new FiberHandle(FiberScheduler.OfThread.Start(argument, body));
    }

    /// <summary>
    /// Makes a group: fibers that are waited for together. Dispose it when they have ended.
    /// </summary>
    public static unsafe FiberGroup OpenGroup() => new(FiberScheduler.OfThread.Memory.MakeGroup());

    /// <summary>
    /// Enters a section in which no checkpoint starts, for the whole worker; waits first while one is
    /// pending. Nests.
    /// </summary>
    /// <returns>To be disposed of: <c>using (await Fiber.CriticalSection()) { … }</c>.</returns>
    public static async FiberTask<FiberCriticalSection> CriticalSection()
    {
        NestedScope section;
        while (!TryEnterCritical(out section))
            await WordWait.Until(FiberScheduler.OfThread.Waits.Now + RetryNanoseconds);
        return new FiberCriticalSection(section);
    }

    /// <summary>
    /// Awaits ordinary code: <c>int n = await Fiber.External&lt;Fetch, int&gt;(new Fetch { Url = url });</c>
    /// Other fibers of the worker go on meanwhile.
    /// </summary>
    /// <typeparam name="TSection">The code, and what it needs.</typeparam>
    /// <typeparam name="TResult">What it gives.</typeparam>
    /// <param name="section">Kept with the fiber.</param>
    /// <param name="mode">What a checkpoint does meanwhile.</param>
    public static async FiberTask<TResult> External<TSection, TResult>(
        TSection section, ExternalMode mode = ExternalMode.Repeat)
        where TSection : unmanaged, IExternalSection<TResult>
        where TResult : unmanaged
    {
        if (mode == ExternalMode.HoldCheckpoints)
        {
            using (await CriticalSection()) return await RunExternal<TSection, TResult>(section);
        }

        return await RunExternal<TSection, TResult>(section);
    }

    private static unsafe bool TryEnterCritical(out NestedScope section)
    {
        FiberScheduler scheduler = FiberScheduler.OfThread;
        return scheduler.Critical.TryEnter(scheduler.Running, out section);
    }

    /// <summary>
    /// A task of another process, or of a run that was cancelled, gives nothing: it is begun again.
    /// </summary>
    private static async FiberTask<TResult> RunExternal<TSection, TResult>(TSection section)
        where TSection : unmanaged, IExternalSection<TResult>
        where TResult : unmanaged
    {
        while (true)
        {
            ExternalWait wait = new(section.RunAsync(FiberScheduler.OfThread.Waits.External.Closing));
            await wait;
            bool isOfRun = wait.IsOfRun;
            Task? task = wait.Take();
            if (isOfRun) return ((Task<TResult>)task!).GetAwaiter().GetResult();
        }
    }

    private static async FiberTask WaitUntil(long deadline)
    {
        do await WordWait.Until(deadline);
        while (FiberScheduler.OfThread.Waits.Now < deadline);
    }
}
