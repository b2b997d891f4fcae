namespace Snapshot.Coordination;

/// <summary>What was asked for.</summary>
/// <param name="Generation">The generation that the checkpoint will be.</param>
/// <param name="Timeout">From now until every participant must have come.</param>
/// <param name="Cancellation">Aborts the attempt up to the capture.</param>
internal readonly record struct AttemptTerms(
    long Generation, TimeSpan Timeout, CancellationToken Cancellation)
{
    /// <summary>Participants are stopped, and nothing else: no handler runs, nothing is told.</summary>
    internal bool IsBrief { get; init; }

    /// <summary>
    /// Nobody is told of the commit when the attempt completes, but by who takes <see
    /// cref="Attempt.Untold"/>.
    /// </summary>
    internal bool TellsCommittedLater { get; init; }

    /// <summary>Who asked; null for nobody who could keep it from happening.</summary>
    internal Requester? Requester { get; init; }

    /// <summary>Told of phases that begin beside the pause, by the thread that drives.</summary>
    internal Action<Phase>? Entered { get; init; }
}
