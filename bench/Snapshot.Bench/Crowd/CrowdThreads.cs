using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>
/// Participants that write one word to each page they are told to; between rounds they poll and yield.
/// </summary>
internal sealed unsafe class CrowdThreads : IDisposable
{
    private readonly CrowdSetup _setup;
    private readonly SnapshotSession _session;
    private readonly byte*[] _arenas;
    private readonly Thread[] _threads;
    private readonly long[][] _pages;
    private readonly (long From, long To)[] _times;

    // Who has written waits here for the others, so that it takes no processor from them.
    private readonly Barrier _written;
    private readonly Rounds _rounds = new();

    internal CrowdThreads(SnapshotSession session, CrowdSetup setup)
    {
        _setup = setup;
        _session = session;
        _arenas = new byte*[setup.Arenas];
        long bytes = setup.PagesOfPart * setup.Threads * PagePattern.PageBytes;
        for (int index = 0; index < setup.Arenas; index++)
        {
            ArenaOptions options = new() { Capacity = bytes + (bytes / 16) + (64L << 20) };
            Arena arena = session.OpenArena($"bench{index}", options);
            _arenas[index] = (byte*)arena.RootArray<long>("data", bytes / sizeof(long)).Pointer;
        }

        _pages = new long[setup.Threads][];
        _times = new (long, long)[setup.Threads];
        _written = new Barrier(setup.Threads + 1);
        _threads = [.. Enumerable.Range(0, setup.Threads).Select(
            index => new Thread(() => Work(index), maxStackSize: 256 << 10) { Name = $"bench {index}" })];
        foreach (Thread thread in _threads) thread.Start();
    }

    /// <summary>Pages of its part that each thread writes in every arena.</summary>
    internal void Choose(Func<int, long[]> pagesOf)
    {
        for (int thread = 0; thread < _pages.Length; thread++) _pages[thread] = pagesOf(thread);
    }

    /// <summary>All write them; milliseconds from the first to begin to the last to end.</summary>
    internal double Write()
    {
        _rounds.BeginNext();
        _written.SignalAndWait();
        return Stopwatch.GetElapsedTime(
            _times.Min(time => time.From), _times.Max(time => time.To)).TotalMilliseconds;
    }

    public void Dispose()
    {
        _rounds.Stop();
        foreach (Thread thread in _threads) thread.Join();
        _written.Dispose();
    }

    private void Work(int index)
    {
        using Participant me = _session.Attach($"bench {index}");
        for (int round = 1; _rounds.Await(round, me); round++)
        {
            long[] pages = _pages[index];
            long from = Stopwatch.GetTimestamp();
            foreach (byte* arena in _arenas)
            {
                byte* part = arena + (index * _setup.PagesOfPart * PagePattern.PageBytes);
                foreach (long page in pages) *(long*)(part + (page * PagePattern.PageBytes)) += round;
                me.Poll();
            }

            _times[index] = (from, Stopwatch.GetTimestamp());
            _written.SignalAndWait();
        }
    }
}
