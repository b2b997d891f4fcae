using BenchmarkDotNet.Attributes;

namespace Snapshot.Microbench;

/// <summary>
/// What fibers pay for each step, beside the loop alone and beside <see cref="ValueTask{T}"/>.
/// </summary>
/// <remarks>
/// Every figure is a loop inside one fiber on the benchmark's thread; attaching the worker is spread over its
/// turns.
/// </remarks>
public class FiberBench
{
    private const int Turns = 200_000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-microbench-");
    private SnapshotSession _session = null!;
    private Arena _arena = null!;
    private long _runs;

    /// <summary>Opens a session.</summary>
    [GlobalSetup]
    public void Open()
    {
        _session = SnapshotSession.Create(_directory.FullName);
        _arena = _session.OpenArena("fibers");
        _arena.Root<FiberLoops.State>("state").Channel.Initialize(_arena, 16);
    }

    /// <summary>Closes it.</summary>
    [GlobalCleanup]
    public void Close()
    {
        _session.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>The loop alone, in a fiber.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Turns)]
    public void Nothing() => Run(static _ => FiberLoops.Nothing(Turns));

    /// <summary>The loop with a safepoint, nothing pending.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void Safepoint() => Run(static _ => FiberLoops.Safepoint(Turns));

    /// <summary>Suspend, go round the scheduler, resume.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void SuspendAndResume() => Run(static _ => FiberLoops.Yield(Turns));

    /// <summary>The same eleven frames deep.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void SuspendAndResumeDeep() => Run(static _ => FiberLoops.Deep(10, Turns));

    /// <summary>A call that returns without suspending.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void Call() => Run(static _ => FiberLoops.Call(Turns));

    /// <summary>A call that suspends once: its frame is made and freed.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void CallThatSuspends() => Run(static _ => FiberLoops.CallThatSuspends(Turns));

    /// <summary>The same call as a <see cref="ValueTask{T}"/>, without suspending.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public long ValueTaskCall() => _runs + FiberLoops.ValueTaskCall(Turns).AsTask().GetAwaiter().GetResult();

    /// <summary>Enter and leave an arena mutex that is free.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void LockPair() => Run(FiberLoops.LockPair);

    /// <summary>One item from one fiber to another over a channel of 16, on one worker.</summary>
    [Benchmark(OperationsPerInvoke = Turns)]
    public void ChannelHop() => Run(FiberLoops.ChannelHop);

    private unsafe void Run(Func<ArenaPointer<FiberLoops.State>, FiberTask> body)
    {
        ArenaPointer<FiberLoops.State> state = _arena.RootPointer<FiberLoops.State>("state");
        _session.RunFibers($"run {_runs++}", _arena, () => Fiber.Start(state, body));
    }

    private void Run(Func<ArenaPointer<FiberLoops.State>, int, FiberTask> body) =>
        Run(state => body(state, Turns));
}
