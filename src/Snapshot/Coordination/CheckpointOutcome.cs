namespace Snapshot;

/// <summary>What became of a checkpoint, as a resume part is told it.</summary>
public enum CheckpointOutcomeKind
{
    /// <summary>
    /// Memory was captured and this process goes on. Not durable yet: see <see cref="ICheckpointHandler.Committed"/>.
    /// </summary>
    Continued = 1,

    /// <summary>This is another process, in which memory is as it was at the capture.</summary>
    Restarted,

    /// <summary>
    /// There is no checkpoint; <see cref="CheckpointOutcome.AbortCode"/> and <see cref="CheckpointOutcome.Cause"/> tell
    /// why.
    /// </summary>
    Aborted,

    /// <summary>
    /// As Continued, but this participant is not recorded in the image because one of its handlers asked for that.
    /// </summary>
    Omitted,
}

/// <summary>The outcome of a checkpoint or restart, told to every resume part.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Generation">The generation that was captured, was to be captured, or was restarted from.</param>
public readonly record struct CheckpointOutcome(CheckpointOutcomeKind Kind, long Generation)
{
    /// <summary>The code of the handler that aborted; null unless a handler did.</summary>
    public int? AbortCode { get; init; }

    /// <summary>Why it was aborted: the exception the requester gets. Null unless aborted.</summary>
    public Exception? Cause { get; init; }
}
