using System.Runtime.ExceptionServices;

namespace Snapshot.Checkpoint;

/// <summary>The task of one moment of a ticket, which tells when a thread is about to block in it.</summary>
/// <remarks>
/// A thread that waits for a task without a limit of time (Wait, Result, GetResult, WaitAll) first asks the
/// task's scheduler to execute it there and then. This scheduler has one task, executes it when the moment
/// has come and not before, and takes the question for what it tells. A task of a
/// <see cref="TaskCompletionSource"/> has no scheduler, and nobody learns who waits.
/// </remarks>
#pragma warning disable CA1001 // The source has no link, timer or handle: nothing to dispose.
internal sealed class MomentTask<T> : TaskScheduler
#pragma warning restore CA1001
{
    private readonly Action _blocking;
    private readonly CancellationTokenSource _cancelled = new();
    private T? _result;
    private Exception? _error;
    private int _hasEnded;

    /// <param name="blocking">
    /// Called by a thread that is about to block; must not throw, and may end the task.
    /// </param>
    internal MomentTask(Action blocking)
    {
        _blocking = blocking;
        Task = new Task<T>(Take, _cancelled.Token, TaskCreationOptions.RunContinuationsAsynchronously);
        Task.Start(this);
    }

    internal Task<T> Task { get; }

    // ---- the first of these three counts
    // ---------------------------------------------------------------------------

    internal void SetResult(T result)
    {
        if (!TryBegin()) return;
        _result = result;
        TryExecuteTask(Task);
    }

    internal void SetError(Exception error)
    {
        if (!TryBegin()) return;
        _error = error;
        TryExecuteTask(Task);
    }

    internal void SetCancelled()
    {
        if (!TryBegin()) return;
        _cancelled.Cancel();
        TryExecuteTask(Task);
    }

    // ---- as a scheduler
    // --------------------------------------------------------------------------------------------

    protected override void QueueTask(Task task)
    {
        // It is executed when its moment has come.
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        _blocking();
        return false;
    }

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    private bool TryBegin() => Interlocked.Exchange(ref _hasEnded, 1) == 0;

    private T Take()
    {
        if (_error is not null) ExceptionDispatchInfo.Throw(_error);
        return _result!;
    }
}
