namespace Snapshot.Threads.Fibers;

/// <summary>
/// The fibers of one worker that can go on, in the order in which they will. Only the worker's thread.
/// </summary>
internal unsafe struct ReadyFibers
{
    private FiberRecord* _first;
    private FiberRecord* _last;

    /// <summary>Behind all others.</summary>
    internal void Add(FiberRecord* fiber)
    {
        fiber->Status = FiberStatus.Ready;
        fiber->NextReady = null;
        if (_last == null) _first = fiber;
        else _last->NextReady = fiber;
        _last = fiber;
    }

    /// <summary>Before all others: for one that was merely held up.</summary>
    internal void AddFirst(FiberRecord* fiber)
    {
        fiber->Status = FiberStatus.Ready;
        fiber->NextReady = _first;
        if (_first == null) _last = fiber;
        _first = fiber;
    }

    /// <summary>Null when there is none.</summary>
    internal FiberRecord* Take()
    {
        FiberRecord* fiber = _first;
        if (fiber == null) return null;
        _first = fiber->NextReady;
        if (_first == null) _last = null;
        return fiber;
    }
}
