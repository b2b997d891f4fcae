namespace Snapshot;

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
