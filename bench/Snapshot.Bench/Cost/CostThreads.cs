using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>
/// Threads that compute in their parts of the memory, epoch after epoch: a page is rewritten, something is
/// computed, and the next. After each epoch but the last thread 0 asks for a checkpoint, and nobody waits for
/// it.
/// </summary>
internal sealed unsafe class CostThreads : IDisposable
{
    private readonly CostSetup _setup;
    private readonly Checkpointer _checkpointer;
    private readonly int _workPerPage;
    private readonly Thread[] _threads;
    private readonly double[][] _epochs;
    private readonly long[] _gaps;
    private readonly ThreadTime[] _spent;
    private readonly Barrier _filled;
    private int _working;

    internal CostThreads(CostSetup setup, Checkpointer checkpointer, int workPerPage)
    {
        _setup = setup;
        _checkpointer = checkpointer;
        _workPerPage = workPerPage;
        _threads = new Thread[setup.Threads];
        _epochs = [.. _threads.Select(_ => new double[setup.Checkpoints + 1])];
        _gaps = new long[setup.Threads];
        _spent = new ThreadTime[setup.Threads];
        _filled = new Barrier(setup.Threads + 1);
        _working = setup.Threads;
    }

    internal IReadOnlyList<double> EpochsMs =>
        [.. Enumerable.Range(0, _setup.Checkpoints + 1).Select(
            epoch => _epochs.Average(times => times[epoch]))];

    /// <summary>Where the time of each went.</summary>
    internal IReadOnlyCollection<ThreadTime> Times => _spent;

    internal double LongestGapMs => Stopwatch.GetElapsedTime(0, _gaps.Max()).TotalMilliseconds;

    /// <summary>Returns when every page was written once.</summary>
    internal void Fill()
    {
        for (int index = 0; index < _threads.Length; index++)
        {
            int mine = index;
            _threads[index] = new Thread(() => Run(mine)) { Name = $"bench {index}" };
            _threads[index].Start();
        }

        _filled.SignalAndWait();
    }

    /// <summary>Returns when every thread has done its work.</summary>
    internal void Compute()
    {
        _filled.SignalAndWait();
        foreach (Thread thread in _threads) thread.Join();
    }

    public void Dispose() => _filled.Dispose();

    private void Run(int index)
    {
        long first = _setup.Pages * index / _setup.Threads, end = _setup.Pages * (index + 1) / _setup.Threads;
        ulong state = PageContent.Seed(0, index);
        for (long page = first; page < end; page++) state = PageContent.Noise(At(page), state);
        PagePattern pattern = new(end - first, _setup.DirtyPercent, IsDense: false);
        Random random = new(index);
        long[][] epochs = [.. _epochs[index].Select(_ => pattern.Choose(random))];
        foreach (long[] pages in epochs) random.Shuffle(pages);
        long* scratch = (long*)NativeMemory.AlignedAlloc(PagePattern.PageBytes, PagePattern.PageBytes);
        _filled.SignalAndWait();
        _filled.SignalAndWait();
        _checkpointer.Attach(index);
        ThreadTime before = ThreadTime.OfCurrentThread();
        for (int epoch = 0; epoch < epochs.Length; epoch++)
        {
            long began = Stopwatch.GetTimestamp();
            state = Epoch(index, first, epochs[epoch], scratch, state);
            _epochs[index][epoch] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            if (index == 0 && epoch < _setup.Checkpoints) _checkpointer.Ask();
        }

        _spent[index] = ThreadTime.OfCurrentThread() - before;

        // Others may have to be stopped together with this one.
        Interlocked.Decrement(ref _working);
        while (Volatile.Read(ref _working) > 0) _checkpointer.Poll(index);
        _checkpointer.Detach(index);
        NativeMemory.AlignedFree(scratch);
    }

    private ulong Epoch(int index, long first, long[] pages, long* scratch, ulong state)
    {
        long last = Stopwatch.GetTimestamp(), longest = _gaps[index];
        foreach (long page in pages)
        {
            state = PageContent.Noise(At(first + page), state);
            for (int work = 0; work < _workPerPage; work++) state = PageContent.Noise(scratch, state);
            _checkpointer.Poll(index);
            long now = Stopwatch.GetTimestamp();
            longest = Math.Max(longest, now - last);
            last = now;
        }

        _gaps[index] = longest;
        return state;
    }

    private long* At(long page) => (long*)(_checkpointer.Memory + page * PagePattern.PageBytes);
}
