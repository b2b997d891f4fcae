using System.Diagnostics;
using Snapshot.Coordination;
using Snapshot.Storage;

namespace Snapshot.Checkpoint;

/// <summary>
/// What one checkpoint tells: progress while it runs, and figures made of the marks that the attempt, the
/// memory and the image left. Nothing here decides anything.
/// </summary>
internal sealed class CheckpointReport
{
    private const long PagesPerReport = 4096;

    private readonly long _generation;
    private IProgress<SnapshotProgress>? _listener;
    private Exception? _progressError;
    private CheckpointStage _stage;
    private long _tracked;
    private long _nextReport = PagesPerReport;

    private CheckpointReport(IProgress<SnapshotProgress>? progress, long generation)
    {
        _listener = progress;
        _generation = generation;
    }

    /// <summary>Tells that a checkpoint waits to begin.</summary>
    internal static CheckpointReport Begin(IProgress<SnapshotProgress>? progress, long generation)
    {
        CheckpointReport report = new(progress, generation);
        report.Enter(CheckpointStage.Waiting);
        return report;
    }

    /// <summary>Tells what the attempt does.</summary>
    internal void Enter(Phase phase) => Enter(phase switch
    {
        Phase.Async => CheckpointStage.Preparing,
        Phase.Sync => CheckpointStage.Stopping,
        Phase.Commit => CheckpointStage.Committing,
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "No attempt tells of it."),
    });

    internal void Enter(CheckpointStage stage)
    {
        _stage = stage;
        Tell(0, 0);
    }

    internal CaptureInfo Captured(Attempt attempt, MemoryCapture memory, TimeSpan earlyStop) => new(
        generation: _generation,
        regions: [.. memory.Captured.Select(region => new RegionCaptureInfo(
            name: region.Region.RegionName,
            mode: region.Choice.Mode,
            reason: region.Choice.Reason,
            tracking: region.Tracker.Mechanism,
            pagesTracked: region.TrackedPages))],
        pagesTracked: _tracked = memory.TrackedPages,
        prepare: Stopwatch.GetElapsedTime(attempt.PrepareBegan, attempt.PrepareEnded),
        pause: new PauseInfo(
            total: Stopwatch.GetElapsedTime(attempt.FirstStopped, attempt.Released),
            gather: Stopwatch.GetElapsedTime(attempt.FirstStopped, attempt.Stopped),
            collect: Stopwatch.GetElapsedTime(attempt.Stopped, memory.Collected),
            copy: Stopwatch.GetElapsedTime(memory.Collected, memory.Held),
            release: Stopwatch.GetElapsedTime(memory.Held, attempt.Released),
            earlyStop: earlyStop,
            pagesCopied: memory.CopiedInPause,
            managedBytesAllocated: attempt.ManagedBytesAllocated));

    /// <summary>Pages handled so far in this stage; reported now and then.</summary>
    internal void Pages(long done)
    {
        if (_listener is null || done < _nextReport) return;
        _nextReport = done + PagesPerReport;
        Tell(done, _tracked);
    }

    internal SnapshotInfo Info(
        CaptureInfo captured, GenerationInfo committed, CheckpointImage image, Attempt attempt,
        MemoryCapture memory, ProcessorMeter meter, Exception? maintenanceError) => new(
            generation: committed.Generation,
            parent: committed.Parent,
            capture: captured,
            copyOnWrite: memory.TakeServed(),
            pagesChanged: image.PagesChanged,
            bytesWritten: committed.FileBytes,
            directIo: image.DirectIo,
            drain: Stopwatch.GetElapsedTime(attempt.Released, image.Drained),
            commit: Stopwatch.GetElapsedTime(attempt.CommitBegan, image.Committed),
            resumeErrors: attempt.ResumeErrors,
            participantsDied: attempt.Died,
            meter: meter)
        {
            MaintenanceError = maintenanceError,
            ProgressError = _progressError,
        };

    private void Tell(long done, long total)
    {
        try
        {
            _listener?.Report(new SnapshotProgress(_stage, done, total));
        }
#pragma warning disable CA1031 // Who only watches ends nothing; it is told with the generation.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _progressError = error;
            _listener = null;
        }
    }
}
