using System.Collections.Concurrent;
using Snapshot.Coordination;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>The thread on which a session's checkpoints run, one after the other.</summary>
internal sealed class CheckpointThread : IDisposable
{
    [ThreadStatic]
    private static CheckpointThread? s_current;

    private readonly BlockingCollection<CheckpointTicket> _requests = [];
    private readonly Coordinator _coordinator;
    private readonly ProcessorShare _share;
    private readonly Func<CheckpointTicket, SnapshotInfo> _run;
    private readonly Thread _thread;
    private readonly Lock _admission = new();
    private CheckpointTicket? _current;
    private int _open;
    private bool _closed;

    /// <param name="coordinator">Told of the checkpoint that is about to begin.</param>
    /// <param name="share">What the thread has of a processor.</param>
    /// <param name="run">Executes one checkpoint; what it throws ends the ticket.</param>
    internal CheckpointThread(
        Coordinator coordinator, ProcessorShare share, Func<CheckpointTicket, SnapshotInfo> run)
    {
        _coordinator = coordinator;
        _share = share;
        _run = run;
        _thread = new Thread(Loop) { Name = "snapshot checkpoint", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Puts a request in line.</summary>
    /// <exception cref="SnapshotException">
    /// Busy: another is open and the request does not want to wait.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session is closed.</exception>
    internal void Submit(CheckpointTicket ticket)
    {
        lock (_admission)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_open > 0 && !ticket.Options.WaitIfBusy)
            {
                throw new SnapshotException(
                    SnapshotErrorCode.Busy,
                    "Another checkpoint is running. Call WaitCommittedInThread() of its ticket first, or " +
                    "set CheckpointOptions.WaitIfBusy.");
            }

            // Before the thread can begin it. One in line behind another is pending when that has ended.
            if (_open++ == 0) _coordinator.Barrier.Announce();
            ticket.TakenBy = this;
            _requests.Add(ticket);
        }
    }

    /// <summary>
    /// Whose checkpoint the calling thread works for, or null. A thread that works for another takes over
    /// its.
    /// </summary>
    internal static CheckpointThread? Current
    {
        get => s_current;
        set => s_current = value;
    }

    /// <summary>Whether the caller is called by a checkpoint, which it must not wait for.</summary>
    internal bool IsCurrent => Current == this;

    /// <summary>
    /// Why the calling thread must not block until a checkpoint of this thread is captured; null when it may.
    /// </summary>
    internal string? WhyBlockingWouldDeadlock() => IsCurrent
        ? "it works for that checkpoint, and runs progress callbacks"
        : _coordinator.WhyBlockingWouldDeadlock();

    /// <summary>Whether a request may be in line behind another one.</summary>
    internal bool IsInLine(CheckpointTicket ticket)
    {
        lock (_admission) return _current != ticket && _open > 1;
    }

    /// <summary>
    /// Cancels what is open and admits nothing more; does not wait. Harmless when repeated.
    /// </summary>
    internal void Close()
    {
        lock (_admission)
        {
            if (_closed) return;
            _closed = true;
            _requests.CompleteAdding();
            _current?.Cancel();
        }
    }

    /// <summary>Closes, and waits until the thread has ended. Once.</summary>
    public void Dispose()
    {
        Close();
        _thread.Join();
        _requests.Dispose();
    }

    private void Loop()
    {
        Current = this;
        foreach (CheckpointTicket ticket in _requests.GetConsumingEnumerable())
        {
            lock (_admission)
            {
                _current = ticket;
                if (_closed) ticket.Cancel();
            }

            Execute(ticket);
        }
    }

    /// <summary>
    /// Runs one; the next request is admitted before the ticket tells that this one has ended.
    /// </summary>
    private void Execute(CheckpointTicket ticket)
    {
        SnapshotInfo info;
        try
        {
            ticket.Cancellation.ThrowIfCancellationRequested();
            _share.Take(ProcessorShare.Whole);
            info = _run(ticket);
        }
#pragma warning disable CA1031 // Whatever it is belongs to the one who asked.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Leave();
            ticket.SetFailed(error);
            return;
        }

        Leave();
        ticket.SetCommitted(info);
    }

    private void Leave()
    {
        lock (_admission)
        {
            _current = null;
            if (--_open > 0) _coordinator.Barrier.Announce();
            else _coordinator.Barrier.EndAnnouncement();
        }
    }
}
