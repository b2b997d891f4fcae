using System.Runtime.CompilerServices;

namespace Snapshot.Bench;

/// <summary>
/// The application: participants that fill an array with incompressible data and rewrite parts of it on command.
/// </summary>
internal sealed unsafe class Workload : IDisposable
{
    private const int LongsPerPage = 512;

    private readonly Scenario _scenario;
    private readonly long* _memory;
    private readonly Thread[] _threads;
    private long[] _pages = [];
    private int _round;
    private int _written;
    private volatile bool _stop;

    internal Workload(SnapshotSession session, Scenario scenario)
    {
        _scenario = scenario;
        Arena arena = session.OpenArena("bench", new ArenaOptions { Capacity = scenario.ArenaBytes + (256L << 20) });
        _memory = arena.RootArray<long>("data", scenario.ArenaBytes / sizeof(long)).Pointer;
        _threads = new Thread[scenario.Threads];
        for (int index = 0; index < scenario.Threads; index++)
        {
            int mine = index;
            _threads[index] = new Thread(() => Work(session, mine)) { Name = $"bench {index}" };
            _threads[index].Start();
        }
    }

    /// <summary>The pages of the last round, ascending.</summary>
    internal ReadOnlySpan<long> Pages => _pages;

    internal byte* Memory => (byte*)_memory;

    /// <summary>
    /// Has these pages rewritten by all threads, and returns when that is done; the threads go on polling.
    /// </summary>
    internal void Write(long[] pages)
    {
        _pages = pages;
        Volatile.Write(ref _written, 0);
        Interlocked.Increment(ref _round);
        while (Volatile.Read(ref _written) < _scenario.Threads) Thread.Yield();
    }

    /// <summary>The pages that a round dirties.</summary>
    internal long[] Choose(Random random)
    {
        long[] pages = new long[_scenario.DirtyPages];
        if (_scenario.IsDense)
        {
            long first = random.NextInt64(_scenario.Pages - pages.Length + 1);
            for (long index = 0; index < pages.Length; index++) pages[index] = first + index;
            return pages;
        }

        // One page in each of as many equal strata: random, distinct, and cheap.
        for (long index = 0; index < pages.Length; index++)
        {
            long from = (long)((Int128)index * _scenario.Pages / pages.Length);
            long to = (long)((Int128)(index + 1) * _scenario.Pages / pages.Length);
            pages[index] = random.NextInt64(from, to);
        }

        return pages;
    }

    public void Dispose()
    {
        _stop = true;
        foreach (Thread thread in _threads) thread.Join();
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
            }

            long[] pages = _pages;
            long from = pages.LongLength * index / _scenario.Threads,
                to = pages.LongLength * (index + 1) / _scenario.Threads;
            ulong state = (ulong)(round * 1024 + index + 1) * 0x9E3779B97F4A7C15;
            for (long at = from; at < to; at++)
            {
                state = Rewrite(_memory + pages[at] * LongsPerPage, state);
                me.Poll();
            }

            Interlocked.Increment(ref _written);
        }
    }

    /// <summary>Fills a page with numbers that do not compress (xorshift64*).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Rewrite(long* page, ulong state)
    {
        for (int index = 0; index < LongsPerPage; index++)
        {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            page[index] = (long)(state * 0x2545F4914F6CDD1D);
        }

        return state;
    }
}
