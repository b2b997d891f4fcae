using Snapshot;

namespace KillDemo;

/// <summary>
/// Asks for a checkpoint every so many steps and reports what becomes of it.
/// One worker at a time calls it; nothing here waits.
/// </summary>
/// <param name="session">Whom it asks.</param>
/// <param name="options">Which steps.</param>
/// <param name="participants">
/// How many must have attached before the first; 0 when it does not matter.
/// </param>
/// <param name="reporter">Told of progress and of each checkpoint.</param>
internal sealed class Checkpoints(
    SnapshotSession session, RunOptions options, int participants, RunReporter reporter)
{
    private const int ProgressReports = 100;

    private readonly long _stepsPerReport = Math.Max(1, options.Steps / ProgressReports);
    private int _attached;
    private Task _latest = Task.CompletedTask;

    /// <summary>
    /// Ends with the latest checkpoint; faults as it did. Read it when the workers are done.
    /// </summary>
    internal Task Latest => _latest;

    /// <summary>
    /// One more worker takes part. An image without one of them would not know its handler.
    /// </summary>
    internal void CountAttached() => Interlocked.Increment(ref _attached);

    internal void AfterStep(long step)
    {
        if (step % _stepsPerReport == 0) reporter.Report(new RunEvent.Progressed(step));
        bool isDue = options.EverySteps > 0 && step % options.EverySteps == 0
            && Volatile.Read(ref _attached) == participants;

        // While one is being drained the next is not due:
        // a disk that cannot follow makes checkpoints rarer, not the run slower.
        if (!isDue || !_latest.IsCompleted) return;
        if (_latest.IsFaulted) _latest.GetAwaiter().GetResult();
        _latest = FollowAsync(session.RequestCheckpoint());
    }

    private async Task FollowAsync(CheckpointTicket ticket)
    {
        CaptureInfo captured = await ticket.Captured.ConfigureAwait(false);
        reporter.Report(new RunEvent.Captured(captured.Generation));
        SnapshotInfo info = await ticket.Committed.ConfigureAwait(false);
        reporter.Report(new RunEvent.Committed(
            info.Generation,
            info.Parent,
            info.PagesChanged,
            info.BytesChanged,
            info.BytesWritten,
            info.Capture.Pause.Total.TotalMilliseconds,
            info.Drain.TotalMilliseconds,
            info.Commit.TotalMilliseconds));
        if (info.ResumeErrors.Count > 0)
            throw new RunException($"After checkpoint {info.Generation}: {info.ResumeErrors[0]}");
    }
}
