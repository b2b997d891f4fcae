using System.Runtime.CompilerServices;

namespace Snapshot.Bench;

/// <summary>
/// Random updates of 8 bytes over the whole arena, as HPC Challenge's RandomAccess makes them; there too an
/// update that two threads make at once may be lost.
/// </summary>
internal sealed unsafe class RandomUpdates : Computation
{
    private const int UpdatesPerPoll = 1 << 10, PollsPerStep = 1 << 6;

    private readonly ulong* _table;
    private readonly ulong _count;
    private readonly int _threads;

    internal RandomUpdates(Arena arena, long bytes, int threads)
    {
        _count = (ulong)bytes / sizeof(ulong);
        _threads = threads;
        _table = arena.RootArray<ulong>("table", (long)_count).Pointer;
    }

    /// <summary>Updates of one step, by all threads.</summary>
    internal long UpdatesPerStep => (long)UpdatesPerPoll * PollsPerStep * _threads;

    internal override void Fill(int thread, Participant me)
    {
        const int CellsPerPoll = 1 << 16;
        long from = (long)_count * thread / _threads, to = (long)_count * (thread + 1) / _threads;
        for (long cell = from; cell < to; cell++)
        {
            _table[cell] = (ulong)cell * 0x9E3779B97F4A7C15;
            if (cell % CellsPerPoll == 0) me.Poll();
        }
    }

    internal override void Step(long step, int thread, Participant me)
    {
        ulong state = ((ulong)(step * _threads) + (ulong)thread + 1) * 0x9E3779B97F4A7C15;
        for (int poll = 0; poll < PollsPerStep; poll++)
        {
            state = Update(state);
            me.Poll();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong Update(ulong state)
    {
        for (int update = 0; update < UpdatesPerPoll; update++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            _table[Math.BigMul(state, _count, out _)] ^= state;
        }

        return state;
    }
}
