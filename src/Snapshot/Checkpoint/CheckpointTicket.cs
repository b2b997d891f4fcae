using Snapshot.Base;
using Snapshot.Checkpoint;
using Snapshot.Coordination;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>
/// A checkpoint that was asked for. It tells when memory is captured and when the generation is committed,
/// and cancels.
/// </summary>
/// <remarks>
/// All members may be used from any thread. Each waits in its own way: a task awaits
/// <see cref="Committed"/>, a thread, attached or not, calls <see cref="WaitCommittedInThread"/>, and a fiber
/// awaits <see cref="FiberTickets.WaitCommittedInFiber"/>.
/// </remarks>
#pragma warning disable CA1001 // The source has no link, timer or handle: nothing to dispose.
public sealed class CheckpointTicket
#pragma warning restore CA1001
{
    // What participants sleep on: 0 asked for, 1 captured, 2 ended. Only ever grows. Pinned, since the kernel
    // is given its address.
    private readonly uint[] _moment = GC.AllocateArray<uint>(1, pinned: true);

    private readonly MomentTask<CaptureInfo> _captured;
    private readonly MomentTask<SnapshotInfo> _committed;
    private readonly CancellationTokenSource _cancellation = new();
    private CommittedParts? _untold;

    // Taken back when the checkpoint has ended: the token often lives as long as the program.
    private readonly CancellationTokenRegistration _watched;

    internal CheckpointTicket(
        CheckpointOptions options, IProgress<SnapshotProgress>? progress, CancellationToken cancellation)
    {
        Options = options;
        Progress = progress;
        _captured = new MomentTask<CaptureInfo>(RefuseSelfDeadlock);
        _committed = new MomentTask<SnapshotInfo>(RefuseSelfDeadlock);
        _watched = cancellation.UnsafeRegister(static ticket => ((CheckpointTicket)ticket!).Cancel(), this);

        // Whoever only watches one of the two moments must not be told of the other's failure by the
        // finalizer.
        _ = _captured.Task.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
        _ = _committed.Task.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
    }

    /// <summary>
    /// Ends when memory is captured and the participants go on. Faults with the
    /// <see cref="SnapshotException"/> that ended the checkpoint before that. Must not be waited for in a
    /// handler, in a critical section, in a progress callback, or by blocking in a participant: use
    /// <see cref="WaitCapturedInThread"/> there, which takes part, and refuses the first three.
    /// </summary>
    /// <remarks>
    /// A thread that blocks in this task while the checkpoint waits for it fails the checkpoint at once, with
    /// <see cref="SnapshotErrorCode.SelfDeadlock"/>. Where a participant asked for it and blocks in another
    /// task that awaits this one, that is found when the thread has been blocked for two seconds without
    /// reaching a safepoint.
    /// </remarks>
    public Task<CaptureInfo> Captured => _captured.Task;

    /// <summary>
    /// Ends when the generation is durable and visible. Faults with what ended the checkpoint before that.
    /// The same rule holds.
    /// </summary>
    public Task<SnapshotInfo> Committed => _committed.Task;

    internal CheckpointOptions Options { get; }

    internal IProgress<SnapshotProgress>? Progress { get; }

    internal CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Who asked.</summary>
    internal Requester AskedBy { get; } = new(Participant.Current);

    /// <summary>
    /// Who is to be told of the commit by <see cref="TellCommitted"/>; set before <see cref="Committed"/>
    /// ends.
    /// </summary>
    internal CommittedParts? Untold { set => _untold = value; }

    /// <summary>Whose checkpoint it is; set when it is put in line.</summary>
    internal CheckpointThread? TakenBy { get; set; }

    /// <summary>
    /// Cancels the checkpoint if its commit has not begun. No generation appears, and the next checkpoint
    /// contains its pages.
    /// </summary>
    public void Cancel() => _cancellation.Cancel();

    /// <summary>
    /// Has the committed parts of handlers called that <see cref="CheckpointOptions.TellCommittedLater"/>
    /// kept back: on the handler thread, and in each participant at its next safepoint. Does not wait for
    /// them.
    /// </summary>
    /// <remarks>
    /// Called are the handlers that took part in the checkpoint and are registered still. Nothing happens
    /// when it is called again, after handlers were told of a younger generation, which says it all, and
    /// after the session was closed. If it is never called they are never told.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The checkpoint was asked for without that option, or the generation is not committed.
    /// </exception>
    public void TellCommitted()
    {
        if (!Options.TellCommittedLater)
            throw new InvalidOperationException(
                "Handlers are told when the generation is durable: the checkpoint was asked for without " +
                $"{nameof(CheckpointOptions)}.{nameof(CheckpointOptions.TellCommittedLater)}.");
        if (!_committed.Task.IsCompletedSuccessfully)
            throw new InvalidOperationException(
                $"The generation is not committed: wait for {nameof(Committed)} first.");
        Interlocked.Exchange(ref _untold, null)?.TellLate();
    }

    /// <summary>
    /// Waits for <see cref="Captured"/> on a thread; a participant that waits stands at a safepoint and takes
    /// part.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// What ended the checkpoint; SelfDeadlock inside a handler, a critical section, or what the checkpoint
    /// calls: a progress callback, a subscriber of <see cref="SnapshotSession.ParticipantDied"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public CaptureInfo WaitCapturedInThread()
    {
        WaitUntil(1);
        return _captured.Task.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Waits for <see cref="Committed"/> on a thread; a participant that waits stands at a safepoint and
    /// takes part.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// What ended the checkpoint; SelfDeadlock inside a handler, a critical section, or what the checkpoint
    /// calls: a progress callback, a subscriber of <see cref="SnapshotSession.ParticipantDied"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public SnapshotInfo WaitCommittedInThread()
    {
        WaitUntil(2);
        return _committed.Task.GetAwaiter().GetResult();
    }

    internal void SetCaptured(CaptureInfo info)
    {
        _captured.SetResult(info);
        Reach(1);
    }

    /// <summary>The token of the one who asked does not matter any more.</summary>
    internal void StopWatching() => _watched.Unregister();

    internal void SetCommitted(SnapshotInfo info)
    {
        StopWatching();
        _committed.SetResult(info);
        Reach(2);
    }

    internal void SetFailed(Exception error)
    {
        StopWatching();
        if (error is OperationCanceledException && AskedBy.Refusal is { } refusal) error = refusal;
        if (error is OperationCanceledException)
        {
            _captured.SetCancelled();
            _committed.SetCancelled();
        }
        else
        {
            _captured.SetError(error);
            _committed.SetError(error);
        }

        Reach(2);
    }

    private unsafe void Reach(uint moment)
    {
        fixed (uint* word = _moment)
        {
            Volatile.Write(ref *word, moment);
            Futex.WakeAll(word);
        }
    }

    /// <exception cref="SnapshotException">
    /// SelfDeadlock: the calling thread or fiber must not wait for it.
    /// </exception>
    internal void ThrowIfWaitingWouldDeadlock()
    {
        string? why = TakenBy is { IsCurrent: true }
            ? "it works for that checkpoint, and runs progress callbacks"
            : Coordinator.WhyWaitingWouldDeadlock();
        if (why is not null) throw Requester.SelfDeadlock(why);
    }

    /// <summary>
    /// A thread is about to block in one of the tasks. If the capture waits for that thread, the checkpoint
    /// ends here: the thread's wait, and everybody's, ends with the refusal.
    /// </summary>
    private void RefuseSelfDeadlock()
    {
        if (Volatile.Read(ref _moment[0]) > 0) return;
        if (TakenBy is not { } by) return;
        if (by.WhyBlockingWouldDeadlock() is not { } why) return;
        SnapshotException refusal = Requester.SelfDeadlock(why);
        if (!AskedBy.TryRefuse(refusal)) return;
        Cancel();

        // The checkpoint thread ends it when the abort is complete. It cannot, or not soon, where it is this
        // thread, where it waits for this thread's handler part, and where it is busy with a checkpoint that
        // waits likewise.
        if (by.IsCurrent || by.IsInLine(this) || Participant.Current is not { Part.IsRunning: false })
            SetFailed(refusal);
    }

    private unsafe void WaitUntil(uint moment)
    {
        ThrowIfWaitingWouldDeadlock();
        fixed (uint* word = _moment)
        {
            if (LockOwner.Current is { } owner)
            {
                for (uint seen; (seen = Volatile.Read(ref *word)) < moment;) owner.Wait(word, seen, -1);
                return;
            }

            for (uint seen; (seen = Volatile.Read(ref *word)) < moment;) Futex.Wait(word, seen, -1);
        }
    }
}
