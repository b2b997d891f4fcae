using Snapshot.Checkpoint;

namespace Snapshot;

/// <summary>A committed generation and what it took.</summary>
public sealed record SnapshotInfo
{
    /// <summary>The generation, one more than the last the store had seen.</summary>
    public required long Generation { get; init; }

    /// <summary>The generation it is an increment of, or null when it is full.</summary>
    public required long? Parent { get; init; }

    /// <summary>How memory was captured, and the pause.</summary>
    public required CaptureInfo Capture { get; init; }

    /// <summary>What copy-on-write cost, or null when no arena is captured that way.</summary>
    public required CopyOnWriteInfo? CopyOnWrite { get; init; }

    /// <summary>Pages whose content differs from the parent's; pages of 4096 bytes.</summary>
    public required long PagesChanged { get; init; }

    /// <summary>Bytes of the pages that changed.</summary>
    public long BytesChanged => PagesChanged * 4096;

    /// <summary>Bytes of the image file.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>Whether the image was written past the page cache. False where the file system refuses it.</summary>
    public required bool DirectIo { get; init; }

    /// <summary>Encoding and writing the image, beside the application.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>
    /// Processor time that the library spent on the checkpoint beside the application, from finding what changed to
    /// the commit, on all of its threads that work for it. Not in it: what participants spend in handlers and on their
    /// first writes, what serves those writes (<see cref="CopyOnWriteInfo.Copying"/>), and what other threads help to
    /// look for changes inside the pause.
    /// </summary>
    public TimeSpan ProcessorTime { get; init; }

    /// <summary>The same by task; null where the checkpoint was not measured.</summary>
    internal ProcessorMeter? Meter { get; init; }

    /// <summary>Making the image durable and visible.</summary>
    public required TimeSpan Commit { get; init; }

    /// <summary>
    /// What resume parts threw after going on, as far as they had run by the commit. The image is valid all the same.
    /// </summary>
    public required IReadOnlyList<HandlerError> ResumeErrors { get; init; }

    /// <summary>
    /// Names of participants whose threads were found to have ended without leaving, during this checkpoint.
    /// </summary>
    public required IReadOnlyList<string> ParticipantsDied { get; init; }

    /// <summary>
    /// What going on after this commit, or pruning or compaction after an earlier one, failed with; or null. Committed
    /// generations, this one included, are not affected.
    /// </summary>
    public Exception? KeepingError { get; init; }

    /// <summary>
    /// What the progress callback of the request threw, or null. It was not called again, and the checkpoint went on.
    /// </summary>
    public Exception? ProgressError { get; init; }
}
