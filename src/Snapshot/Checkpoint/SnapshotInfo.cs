using Snapshot.Checkpoint;

namespace Snapshot;

/// <summary>A committed generation and what it took.</summary>
public sealed class SnapshotInfo
{
    internal SnapshotInfo(
        long generation, long? parent, CaptureInfo capture, CopyOnWriteInfo? copyOnWrite, long pagesChanged,
        long bytesWritten, bool directIo, TimeSpan drain, TimeSpan commit,
        IReadOnlyList<HandlerError> resumeErrors,
        IReadOnlyList<string> participantsDied, ProcessorMeter meter)
    {
        Generation = generation;
        Parent = parent;
        Capture = capture;
        CopyOnWrite = copyOnWrite;
        PagesChanged = pagesChanged;
        BytesWritten = bytesWritten;
        DirectIo = directIo;
        Drain = drain;
        Commit = commit;
        ResumeErrors = resumeErrors;
        ParticipantsDied = participantsDied;
        Meter = meter;
    }

    /// <summary>The generation, one more than the last the store had seen.</summary>
    public long Generation { get; }

    /// <summary>The generation it is an increment of, or null when it is full.</summary>
    public long? Parent { get; }

    /// <summary>How memory was captured, and the pause.</summary>
    public CaptureInfo Capture { get; }

    /// <summary>What copy-on-write cost, or null when no arena is captured that way.</summary>
    public CopyOnWriteInfo? CopyOnWrite { get; }

    /// <summary>Pages whose content differs from the parent's; pages of 4096 bytes.</summary>
    public long PagesChanged { get; }

    /// <summary>Bytes of the pages that changed.</summary>
    public long BytesChanged => PagesChanged * 4096;

    /// <summary>Bytes of the image file.</summary>
    public long BytesWritten { get; }

    /// <summary>
    /// Whether the image was written past the page cache. False where the file system refuses it.
    /// </summary>
    public bool DirectIo { get; }

    /// <summary>How long the session encoded and wrote the image while the participants computed.</summary>
    public TimeSpan Drain { get; }

    /// <summary>
    /// Processor time that the library spent on the checkpoint, from finding what changed to the commit, on
    /// all of its own threads. Not in it: what participants spend in handlers and on their first writes, what
    /// serves those writes (<see cref="CopyOnWriteInfo.Copying"/>), and what other threads help to look for
    /// changes inside the pause.
    /// </summary>
    public TimeSpan ProcessorTime => Meter.Spent;

    /// <summary>The same by task.</summary>
    internal ProcessorMeter Meter { get; }

    /// <summary>Making the image durable and visible.</summary>
    public TimeSpan Commit { get; }

    /// <summary>
    /// What resume parts threw after going on, as far as they had run by the commit. The image is valid all
    /// the same.
    /// </summary>
    public IReadOnlyList<HandlerError> ResumeErrors { get; }

    /// <summary>
    /// Names of participants whose threads were found to have ended without leaving, during this checkpoint.
    /// </summary>
    public IReadOnlyList<string> ParticipantsDied { get; }

    /// <summary>
    /// What going on after this commit, or pruning or compaction after an earlier one, failed with; or null.
    /// Committed generations, this one included, are not affected.
    /// </summary>
    public Exception? MaintenanceError { get; internal set; }

    /// <summary>
    /// What the progress callback of the request threw, or null. It was not called again, and the checkpoint
    /// went on.
    /// </summary>
    public Exception? ProgressError { get; internal init; }

    /// <summary>
    /// What subscribers of the session's events and the audit of native threads have thrown since the
    /// generation before, the oldest first and 16 at most. Each is called by itself: the others were told all
    /// the same.
    /// </summary>
    public IReadOnlyList<Exception> SubscriberErrors { get; internal set; } = [];
}
