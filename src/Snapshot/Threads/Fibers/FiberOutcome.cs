namespace Snapshot.Fibers;

/// <summary>
/// The outcome of a checkpoint or restart, as a fiber is told it: <see cref="CheckpointOutcome"/> without the
/// exception, which could not be kept.
/// </summary>
public readonly struct FiberOutcome
{
    internal FiberOutcome(CheckpointOutcomeKind kind, long generation, int? abortCode = null)
    {
        Kind = kind;
        Generation = generation;
        AbortCode = abortCode;
    }

    /// <summary>What happened.</summary>
    public CheckpointOutcomeKind Kind { get; }

    /// <summary>The generation that was captured, was to be captured, or was restarted from.</summary>
    public long Generation { get; }

    /// <summary>The code of the handler that aborted; null unless a handler did.</summary>
    public int? AbortCode { get; }
}
