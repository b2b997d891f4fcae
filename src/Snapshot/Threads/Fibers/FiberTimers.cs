namespace Snapshot.Threads.Fibers;

/// <summary>
/// The fibers of one worker that wait at most until a time: a binary heap in the arena, earliest first.
/// </summary>
/// <remarks>
/// Not thread-safe. Each fiber knows its place, so one that is woken before its time is taken out.
/// </remarks>
internal unsafe struct FiberTimers
{
    private const int FirstCapacity = 64;

    private FiberRecord** _heap;
    private int _count;
    private int _capacity;

    internal readonly int Count => _count;

    /// <summary>The earliest deadline; there must be one.</summary>
    internal readonly long Earliest => _heap[0]->Deadline;

    /// <summary>The fiber with the earliest deadline; there must be one.</summary>
    internal readonly FiberRecord* First => _heap[0];

    /// <exception cref="SnapshotException">ArenaFull; nothing was changed.</exception>
    internal void Add(Arena arena, FiberRecord* fiber, long deadline)
    {
        if (_count == _capacity) Grow(arena);
        fiber->Deadline = deadline;
        Rise(_count++, fiber);
    }

    internal void Remove(FiberRecord* fiber)
    {
        int hole = fiber->Timer - 1;
        fiber->Timer = 0;
        FiberRecord* last = _heap[--_count];
        if (last == fiber) return;
        if (hole > 0 && last->Deadline < _heap[(hole - 1) / 2]->Deadline) Rise(hole, last);
        else Sink(hole, last);
    }

    internal void Release(Arena arena)
    {
        if (_heap != null) arena.Free(_heap);
        _heap = null;
        _count = _capacity = 0;
    }

    private void Rise(int place, FiberRecord* fiber)
    {
        for (int parent; place > 0 && _heap[parent = (place - 1) / 2]->Deadline > fiber->Deadline;
            place = parent)
            Put(place, _heap[parent]);
        Put(place, fiber);
    }

    private void Sink(int place, FiberRecord* fiber)
    {
        while (true)
        {
            int child = 2 * place + 1;
            if (child >= _count) break;
            if (child + 1 < _count && _heap[child + 1]->Deadline < _heap[child]->Deadline) child++;
            if (_heap[child]->Deadline >= fiber->Deadline) break;
            Put(place, _heap[child]);
            place = child;
        }

        Put(place, fiber);
    }

    private readonly void Put(int place, FiberRecord* fiber)
    {
        _heap[place] = fiber;
        fiber->Timer = place + 1;
    }

    private void Grow(Arena arena)
    {
        int capacity = Math.Max(FirstCapacity, 2 * _capacity);
        FiberRecord** heap = (FiberRecord**)arena.Allocate((long)capacity * sizeof(FiberRecord*));
        for (int i = 0; i < _count; i++) heap[i] = _heap[i];
        if (_heap != null) arena.Free(_heap);
        _heap = heap;
        _capacity = capacity;
    }
}
