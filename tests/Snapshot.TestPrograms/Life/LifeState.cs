namespace Snapshot.TestPrograms.Life;

/// <summary>
/// The memory of a life: a step number, and pages whose content follows from the step and nothing else, so
/// that anyone can tell whether a restored state is one that was.
/// </summary>
internal sealed class LifeState
{
    internal const int PageLongs = 512;
    internal const int Pages = 160;
    private const int Turn = 8;
    private const string ArenaName = "life";

    private readonly Arena _arena;
    private readonly ArenaArray<long> _cells;
    private readonly long[] _buffer;

    private LifeState(Arena arena, long[] buffer)
    {
        _arena = arena;
        _buffer = buffer;
        _cells = arena.RootArray<long>("cells", Pages * PageLongs);
    }

    internal ref long Step => ref _arena.Root<long>("step");

    internal Arena Arena => _arena;

    /// <summary>
    /// Opens the arena and protects the buffer; a session that was restarted has their content.
    /// </summary>
    internal static LifeState Open(SnapshotSession session, long[] buffer)
    {
        LifeState state = new(session.OpenArena(ArenaName, new ArenaOptions { Capacity = 8L << 20 }), buffer);
        session.Protect("buffer", buffer);
        return state;
    }

    internal static long[] NewBuffer() => GC.AllocateArray<long>(PageLongs, pinned: true);

    /// <summary>Goes one step: one page in eight is written, the first and the buffer each time.</summary>
    internal void Go()
    {
        long step = ++Step;
        for (int page = 0; page < Pages; page++)
        {
            if (WrittenAt(page, step) == step) Fill(_cells.AsSpan(page * PageLongs, PageLongs), page, step);
        }

        Fill(_buffer, Pages, step);
    }

    /// <summary>What is not as it must be at the step that the state has, or null.</summary>
    internal string? Fault()
    {
        long step = Step;
        Span<long> expected = stackalloc long[PageLongs];
        for (int page = 0; page < Pages; page++)
        {
            Fill(expected, page, WrittenAt(page, step));
            if (!_cells.AsSpan(page * PageLongs, PageLongs).SequenceEqual(expected))
                return $"page {page} is not as at step {step}";
        }

        Fill(expected, Pages, step);
        return _buffer.AsSpan().SequenceEqual(expected) ? null : $"the buffer is not as at step {step}";
    }

    private static long WrittenAt(int page, long step)
    {
        if (page == 0 || step == 0) return step;
        long last = step - (step - page % Turn + Turn) % Turn;
        return Math.Max(last, 1);
    }

    private static void Fill(Span<long> to, int page, long step)
    {
        if (step == 0)
        {
            to.Clear();
            return;
        }

        // Every third page does not compress.
        ulong value = (ulong)step * 1_000_003 + (ulong)page * 4099;
        for (int index = 0; index < to.Length; index++)
        {
            value++;
            ulong mixed = value * 0x9E37_79B9_7F4A_7C15;
            to[index] = (long)(page % 3 == 0 ? mixed ^ (mixed >> 31) : value);
        }
    }
}
