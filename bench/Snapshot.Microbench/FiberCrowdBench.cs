using BenchmarkDotNet.Attributes;

namespace Snapshot.Microbench;

/// <summary>Many fibers on one worker: a round lets each go on once.</summary>
public class FiberCrowdBench
{
    private const int Rounds = 20;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-microbench-");
    private SnapshotSession _session = null!;
    private Arena _arena = null!;
    private long _runs;

    /// <summary>The number of fibers.</summary>
    [Params(1, 100, 10_000, 100_000)]
    public int Fibers { get; set; }

    /// <summary>Opens a session.</summary>
    [GlobalSetup]
    public void Open()
    {
        _session = SnapshotSession.Create(_directory.FullName);
        _arena = _session.OpenArena("fibers");
    }

    /// <summary>Closes it.</summary>
    [GlobalCleanup]
    public void Close()
    {
        _session.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>A round; starting and ending the fibers is spread over the rounds.</summary>
    [Benchmark(OperationsPerInvoke = Rounds)]
    public void Round() => _session.RunFibers($"run {_runs++}", _arena, () =>
    {
        for (int fiber = 0; fiber < Fibers; fiber++)
            Fiber.Start(Rounds, static rounds => FiberLoops.Yield(rounds));
    });
}
