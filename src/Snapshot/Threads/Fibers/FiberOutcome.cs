namespace Snapshot;

/// <summary>
/// The outcome of a checkpoint or restart, as a fiber is told it: <see cref="CheckpointOutcome"/> without the
/// exception, which could not be kept.
/// </summary>
/// <param name="Kind">What happened.</param>
/// <param name="Generation">The generation that was captured, was to be captured, or was restarted from.</param>
/// <param name="AbortCode">The code of the handler that aborted; null unless a handler did.</param>
public readonly record struct FiberOutcome(CheckpointOutcomeKind Kind, long Generation, int? AbortCode = null);
