namespace Snapshot.Tests.Session;

/// <summary>
/// Keeps a checkpoint where its memory is captured and nothing of it is drained, until it is let go.
/// </summary>
internal sealed class HeldDrain : IProgress<SnapshotProgress>, IDisposable
{
    private readonly ManualResetEventSlim _captured = new(), _go = new();

    /// <summary>Requests a checkpoint and returns when it is captured and held.</summary>
    internal CheckpointTicket Request(SnapshotSession session, CancellationToken cancellation = default)
    {
        CheckpointTicket ticket = session.RequestCheckpoint(null, this, cancellation);
        if (WaitHandle.WaitAny([_captured.WaitHandle, ((IAsyncResult)ticket.Committed).AsyncWaitHandle]) == 1)
            ticket.WaitCommittedInThread();
        return ticket;
    }

    internal void LetGo() => _go.Set();

    public void Report(SnapshotProgress value)
    {
        if (value.Stage != CheckpointStage.Draining) return;
        _captured.Set();
        _go.Wait();
    }

    public void Dispose()
    {
        _go.Set();
        _captured.Dispose();
    }
}
