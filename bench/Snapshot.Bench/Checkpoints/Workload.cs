namespace Snapshot.Bench;

/// <summary>
/// The application: participants that fill an array and rewrite parts of it on command.
/// </summary>
internal sealed unsafe class Workload : IDisposable
{
    private const int LongsPerPage = 512;

    private readonly Scenario _scenario;
    private readonly Arena _arena;
    private readonly long* _memory;
    private readonly Thread[] _threads;
    private readonly ManualResetEventSlim _isAwake = new(true);
    private long[] _pages = [];
    private int _round;
    private int _written;
    private volatile bool _stop;

    internal Workload(SnapshotSession session, Scenario scenario)
    {
        _scenario = scenario;
        Arena arena =
            session.OpenArena("bench", new ArenaOptions { Capacity = scenario.ArenaBytes + (256L << 20) });
        _arena = arena;
        _memory = arena.RootArray<long>("data", scenario.ArenaBytes / sizeof(long)).Pointer;
        _threads = new Thread[scenario.Threads];
        for (int index = 0; index < scenario.Threads; index++)
        {
            int mine = index;
            _threads[index] = new Thread(() => Work(session, mine)) { Name = $"bench {index}" };
            _threads[index].Start();
        }
    }

    /// <summary>How much of the arena is in huge pages.</summary>
    internal double HugePagesPercent => HugePageShare.Percent((void*)_arena.BaseAddress, _arena.Capacity);

    /// <summary>
    /// Has these pages rewritten by all threads, and returns when that is done; the threads go on polling.
    /// </summary>
    internal void Write(long[] pages)
    {
        _pages = pages;
        Volatile.Write(ref _written, 0);
        Interlocked.Increment(ref _round);
        _isAwake.Set();
        while (Volatile.Read(ref _written) < _scenario.Threads) Thread.Yield();
    }

    /// <summary>
    /// Until the next write the threads take no processor: a drain yields to an application, and would be
    /// measured as what one that is busy on all processors leaves it.
    /// </summary>
    internal void Rest() => _isAwake.Reset();

    public void Dispose()
    {
        _stop = true;
        _isAwake.Set();
        foreach (Thread thread in _threads) thread.Join();
        _isAwake.Dispose();
    }

    private void Work(SnapshotSession session, int index)
    {
        using Participant me = session.Attach($"bench {index}");
        for (int round = 1; ; round++)
        {
            // Between rounds it runs, and is stopped at a poll, as an application is.
            while (Volatile.Read(ref _round) < round)
            {
                if (_stop) return;
                me.Poll();
                if (_isAwake.IsSet) continue;
                using BlockedRegion resting = me.EnterBlockedRegion("resting");
                _isAwake.Wait();
            }

            long[] pages = _pages;
            long from = pages.LongLength * index / _scenario.Threads,
                to = pages.LongLength * (index + 1) / _scenario.Threads;
            ulong state = PageContent.Seed(round, index);
            for (long at = from; at < to; at++)
            {
                long* page = _memory + pages[at] * LongsPerPage;
                if (_scenario.IsSmooth) PageContent.Smooth(page, pages[at], round);
                else state = PageContent.Noise(page, state);
                me.Poll();
            }

            Interlocked.Increment(ref _written);
        }
    }
}
