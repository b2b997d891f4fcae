using BenchmarkDotNet.Attributes;

namespace Snapshot.Microbench;

/// <summary>What a participant pays while nothing is pending.</summary>
public class SafepointBench
{
    private const int Operations = 1000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-microbench-");
    private SnapshotSession _session = null!;
    private Participant? _participant;
    private long _sum;

    /// <summary>Opens a session.</summary>
    [GlobalSetup]
    public void Open() => _session = SnapshotSession.Create(_directory.FullName);

    /// <summary>Closes it.</summary>
    [GlobalCleanup]
    public void Close()
    {
        _participant?.Dispose();
        _session.Dispose();
        _directory.Delete(recursive: true);
    }

    // A participant is bound to its thread, and the benchmark's thread is known only inside a benchmark.
    private Participant Me => _participant ??= _session.Attach("bench");

    /// <summary>The loop alone.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Operations)]
    public long Nothing()
    {
        Participant me = Me;
        long sum = _sum;
        for (int index = 0; index < Operations; index++) sum += index;
        _sum = sum;
        GC.KeepAlive(me);
        return _sum;
    }

    /// <summary>The loop with a poll.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public long Poll()
    {
        Participant me = Me;
        long sum = _sum;
        for (int index = 0; index < Operations; index++)
        {
            sum += index;
            me.Poll();
        }

        return _sum = sum;
    }

    /// <summary>The loop with an outermost critical section.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public long CriticalSection()
    {
        Participant me = Me;
        for (int index = 0; index < Operations; index++)
        {
            using (me.EnterCriticalSection()) _sum += index;
        }

        return _sum;
    }

    /// <summary>The loop with a blocked region.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public long BlockedRegion()
    {
        Participant me = Me;
        for (int index = 0; index < Operations; index++)
        {
            using (me.EnterBlockedRegion()) _sum += index;
        }

        return _sum;
    }
}
