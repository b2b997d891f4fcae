using System.Collections.Concurrent;

namespace Snapshot.Threads.Fibers;

/// <summary>What makes fibers of one worker ready whose tasks have ended.</summary>
/// <remarks>
/// A task is a managed object and dies with the process; the fiber keeps its number and the incarnation it
/// belongs to, and learns from a difference that the wait has ended without result. Only the worker's thread
/// uses it, but for the continuation of a task, which posts the fiber and rings.
/// </remarks>
internal sealed unsafe class ExternalWaits(FiberWaits waits) : IDisposable
{
    private readonly ConcurrentQueue<(nint Fiber, uint Serial)> _completed = new();
    private readonly CancellationTokenSource _closing = new();

    /// <summary>Whether no task has ended whose fiber was not told.</summary>
    internal bool IsEmpty => _completed.IsEmpty;

    /// <summary>Cancelled when the worker ends: work begun for its fibers is of no use any more.</summary>
    internal CancellationToken Closing => _closing.Token;

    /// <summary>The fiber is suspended until the task has ended.</summary>
    internal void Watch(Task task, FiberRecord* fiber)
    {
        (nint, uint) who = ((nint)fiber, fiber->Serial);
        task.ContinueWith(
            _ =>
            {
                _completed.Enqueue(who);
                waits.Ring();
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Makes the fibers ready whose tasks have ended.</summary>
    internal void TakeCompleted()
    {
        while (_completed.TryDequeue(out (nint Fiber, uint Serial) who))
            waits.EndExternal((FiberRecord*)who.Fiber, who.Serial);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
    }
}
