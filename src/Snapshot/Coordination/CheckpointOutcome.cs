namespace Snapshot;

/// <summary>The outcome of a checkpoint or restart, told to every resume part.</summary>
public readonly struct CheckpointOutcome
{
    internal CheckpointOutcome(CheckpointOutcomeKind kind, long generation)
    {
        Kind = kind;
        Generation = generation;
    }

    /// <summary>What happened.</summary>
    public CheckpointOutcomeKind Kind { get; }

    /// <summary>The generation that was captured, was to be captured, or was restarted from.</summary>
    public long Generation { get; }

    /// <summary>The code of the handler that aborted; null unless a handler did.</summary>
    public int? AbortCode { get; internal init; }

    /// <summary>Why it was aborted: the exception the requester gets. Null unless aborted.</summary>
    public Exception? Cause { get; internal init; }

    /// <summary>The same with another kind.</summary>
    internal CheckpointOutcome As(CheckpointOutcomeKind kind) =>
        new(kind, Generation) { AbortCode = AbortCode, Cause = Cause };
}
