using System.Diagnostics;
using Snapshot.Coordination;
using Snapshot.Storage;

namespace Snapshot.Checkpoint;

/// <summary>The clock of one checkpoint: what each part took, and progress. Nothing here decides anything.</summary>
internal sealed class CheckpointReport(IProgress<SnapshotProgress>? progress, long generation)
{
    private const long PagesPerReport = 4096;

    private IProgress<SnapshotProgress>? _listener = progress;
    private Exception? _progressError;
    private CheckpointStage _stage;
    private long _entered;
    private long _pauseBegan;
    private long _allocatedBefore;
    private long _stagedBefore;
    private long _collected;
    private long _held;
    private long _tracked;
    private long _drained;
    private TimeSpan _commit;
    private long _nextReport = PagesPerReport;
    private TimeSpan _prepare;
    private TimeSpan _earlyStop;
    private PauseInfo? _pause;

    internal void Enter(CheckpointStage stage)
    {
        _stage = stage;
        _entered = Stopwatch.GetTimestamp();
        Tell(0, 0);
    }

    internal void StoppedEarly(TimeSpan stop) => _earlyStop = stop;

    internal void Prepared() => _prepare = Stopwatch.GetElapsedTime(_entered);

    // The three below run inside the pause and allocate nothing.

    internal void BeginPause(MemoryCapture memory)
    {
        _stagedBefore = memory.Staging.Copied;
        _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        _pauseBegan = Stopwatch.GetTimestamp();
    }

    internal void Collected() => _collected = Stopwatch.GetTimestamp();

    internal void Held() => _held = Stopwatch.GetTimestamp();

    internal void Released(Attempt attempt, MemoryCapture memory)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
        _tracked = memory.TrackedPages;
        _pause = new PauseInfo(
            total: Stopwatch.GetElapsedTime(attempt.FirstStopped, attempt.Released),
            gather: Stopwatch.GetElapsedTime(attempt.FirstStopped, _pauseBegan),
            collect: Stopwatch.GetElapsedTime(_pauseBegan, _collected),
            copy: Stopwatch.GetElapsedTime(_collected, _held),
            release: Stopwatch.GetElapsedTime(_held, attempt.Released),
            earlyStop: _earlyStop,
            pagesCopied: memory.Staging.Copied - _stagedBefore,
            managedBytesAllocated: allocated);
    }

    internal CaptureInfo Captured(MemoryCapture memory) => new(
        generation: generation,
        regions: [.. memory.Captured.Select(region => new RegionCaptureInfo(
            name: region.Region.RegionName,
            mode: region.Choice.Mode,
            reason: region.Choice.Reason,
            tracking: region.Tracker.Mechanism,
            pagesTracked: region.TrackedPages))],
        pagesTracked: _tracked,
        prepare: _prepare,
        pause: _pause!);

    /// <summary>Pages handled so far in this stage; reported now and then.</summary>
    internal void Pages(long done)
    {
        if (_listener is null || done < _nextReport) return;
        _nextReport = done + PagesPerReport;
        Tell(done, _tracked);
    }

    internal void Drained() => _drained = Stopwatch.GetTimestamp();

    internal void Committed() => _commit = Stopwatch.GetElapsedTime(_entered);

    internal SnapshotInfo Info(
        CaptureInfo captured, GenerationInfo committed, ImageDraft draft, PageTally tally, Attempt attempt,
        MemoryCapture memory, ProcessorMeter meter, Exception? keepingError) => new(
            generation: committed.Generation,
            parent: committed.Parent,
            capture: captured,
            copyOnWrite: memory.TakeServed(),
            pagesChanged: tally.Changed,
            bytesWritten: committed.FileBytes,
            directIo: draft.DirectIo,
            drain: Stopwatch.GetElapsedTime(attempt.Released, _drained),
            commit: _commit,
            resumeErrors: attempt.ResumeErrors,
            participantsDied: attempt.Died,
            meter: meter)
        {
            KeepingError = keepingError,
            ProgressError = _progressError,
        };

    private void Tell(long done, long total)
    {
        try
        {
            _listener?.Report(new SnapshotProgress(generation, _stage, done, total));
        }
#pragma warning disable CA1031 // Who only watches must not end what is watched; it is told with the generation.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _progressError = error;
            _listener = null;
        }
    }
}
