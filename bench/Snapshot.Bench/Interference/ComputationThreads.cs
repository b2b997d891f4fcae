using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>
/// The participants that compute: told to fill, told to make so many steps, polling in between.
/// </summary>
internal sealed class ComputationThreads : IDisposable
{
    private readonly SnapshotSession _session;
    private readonly Computation _computation;
    private readonly Thread[] _threads;
    private readonly ProcessorTime[] _times;
    private readonly long[] _ends;
    private readonly Rounds _rounds = new();
    private TaskCompletionSource _done = new();
    private int _busy;
    private long _steps;
    private volatile bool _isFill;
    private long[] _stamps = [];

    internal ComputationThreads(SnapshotSession session, Computation computation, int count)
    {
        _session = session;
        _computation = computation;
        _times = new ProcessorTime[count];
        _ends = new long[count];
        _threads = [.. Enumerable.Range(0, count).Select(
            index => new Thread(() => Work(index)) { Name = $"bench {index}" })];
        foreach (Thread thread in _threads) thread.Start();
    }

    /// <summary>Ends when all have made their steps.</summary>
    internal Task Done => _done.Task;

    /// <summary>The moment the last ended.</summary>
    internal long Ended => _ends.Max();

    /// <summary>When the steps began, and when each ended, as the first thread saw it.</summary>
    internal IReadOnlyList<long> Stamps => _stamps;

    /// <summary>What they took together, from the beginning of the steps.</summary>
    internal ProcessorTime Time => _times.Aggregate((sum, time) => sum + time);

    internal void Fill()
    {
        _isFill = true;
        Start();
        WaitDone();
    }

    internal void Begin(long steps)
    {
        _isFill = false;
        _steps = steps;
        _stamps = new long[steps + 1];
        Start();
    }

    internal void WaitDone() => Done.GetAwaiter().GetResult();

    internal bool IsDoneWithin(TimeSpan time) => Done.Wait(time);

    public void Dispose()
    {
        _rounds.Stop();
        foreach (Thread thread in _threads) thread.Join();
    }

    private void Start()
    {
        _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _busy, _threads.Length);
        _rounds.BeginNext();
    }

    private void Work(int index)
    {
        using Participant me = _session.Attach($"bench {index}");
        for (int round = 1; _rounds.Await(round, me); round++)
        {
            ProcessorTime before = ProcessorTime.OfCurrentThread();
            if (_isFill) _computation.Fill(index, me);
            else MakeSteps(index, me);
            _ends[index] = Stopwatch.GetTimestamp();
            _times[index] = ProcessorTime.OfCurrentThread() - before;
            if (Interlocked.Decrement(ref _busy) == 0) _done.SetResult();
        }
    }

    private void MakeSteps(int index, Participant me)
    {
        // Only one thread writes them, so that the others do not pay for it.
        long[] stamps = index == 0 ? _stamps : new long[_stamps.Length];
        stamps[0] = Stopwatch.GetTimestamp();
        for (long step = 0; step < _steps; step++)
        {
            _computation.Step(step, index, me);
            stamps[step + 1] = Stopwatch.GetTimestamp();
        }
    }
}
