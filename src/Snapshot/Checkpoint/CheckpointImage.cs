using System.Diagnostics;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;

namespace Snapshot.Checkpoint;

/// <summary>
/// The image of one checkpoint on its way from captured memory to a committed generation; the participants
/// compute.
/// </summary>
/// <remarks>What is disposed before it was committed is gone from the store.</remarks>
internal sealed class CheckpointImage : IDisposable
{
    private readonly SnapshotStore _store;
    private readonly MemoryCapture _memory;
    private readonly CapturedPages _pages;
    private readonly PageTally _tally;
    private readonly NextImage _next;
    private readonly ImageDraft _draft;
    private readonly CancellationToken _cancellation;
    private bool _isCommitted;

    private CheckpointImage(
        SnapshotStore store, MemoryCapture memory, CapturedPages pages, NextImage next, ImageDraft draft,
        PageTally tally, CancellationToken cancellation)
    {
        _store = store;
        _memory = memory;
        _pages = pages;
        _next = next;
        _draft = draft;
        _tally = tally;
        _cancellation = cancellation;
    }

    /// <summary>Pages whose content differs from the parent image's.</summary>
    internal long PagesChanged => _tally.Changed;

    internal bool DirectIo => _draft.DirectIo;

    /// <summary>When the image was complete, in ticks of the stopwatch.</summary>
    internal long Drained { get; private set; }

    /// <summary>When it was durable.</summary>
    internal long Committed { get; private set; }

    /// <summary>Makes room for an image and begins it.</summary>
    /// <param name="store">Where it will be.</param>
    /// <param name="memory">What was captured.</param>
    /// <param name="header">The image to be.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="report">Told of the pages.</param>
    /// <param name="cancellation">Gives it up, until it is complete.</param>
    internal static CheckpointImage Begin(
        SnapshotStore store, MemoryCapture memory, ImageHeader header, ImageWriterOptions options,
        CheckpointReport report, CancellationToken cancellation)
    {
        report.Enter(CheckpointStage.Draining);
        CapturedPages pages = memory.Pages;
        NextImage next = store.Space.Plan(header, pages, cancellation);
        try
        {
            ImageDraft draft = store.BeginImage(next.Header, options, cancellation);
            draft.ExpectedBytes = next.ExpectedBytes;
            return new CheckpointImage(
                store, memory, pages, next, draft, new PageTally(report.Pages), cancellation);
        }
        catch
        {
            next.Dispose();
            throw;
        }
    }

    /// <summary>Writes the captured pages, and what else the image says.</summary>
    /// <param name="share">What the drain takes of a processor.</param>
    /// <param name="meter">Counts what it spends.</param>
    /// <param name="describe">What it says apart from memory; asked for after the pages.</param>
    internal void Drain(ProcessorShare share, ProcessorMeter meter, Func<ImageMetadata> describe)
    {
        OrLeaveNothing(() =>
        {
            DrainThread.Run(
                share, meter, () => _memory.WriteTo(_draft.Writer, _next.Inherited, _tally, _cancellation));
            _draft.Complete(describe(), _cancellation);
        });
        Drained = Stopwatch.GetTimestamp();
    }

    /// <summary>Makes the image durable and visible. Not to be cancelled.</summary>
    internal GenerationInfo Commit()
    {
        GenerationInfo? committed = null;
        OrLeaveNothing(() => committed = _store.Commit(_draft));
        _isCommitted = true;
        Committed = Stopwatch.GetTimestamp();
        _store.Space.Learn(_pages.Tracked, _tally.Changed, _draft.Summary!);
        return committed!;
    }

    public void Dispose()
    {
        if (!_isCommitted) _store.Abandon(_draft);
        _next.Dispose();
    }

    /// <summary>What fails takes the file with it, and says what would help where room lacked.</summary>
    private void OrLeaveNothing(Action step)
    {
        try
        {
            step();
        }
        catch (Exception error)
        {
            _store.Abandon(_draft);
            if (error is not SnapshotException failure) throw;
            if (_store.Space.Explain(failure, _next) is var explained && explained != failure)
                throw explained;
            throw;
        }
    }
}
