namespace Snapshot;

/// <summary>What a handler threw where throwing does not undo the checkpoint.</summary>
/// <param name="Handler">The handler's name.</param>
/// <param name="Participant">The participant of a sync handler; null for an async one.</param>
/// <param name="Part">"resume" or "committed".</param>
/// <param name="Generation">The generation.</param>
/// <param name="Exception">What was thrown.</param>
public sealed record HandlerError(
    string Handler, string? Participant, string Part, long Generation, Exception Exception);
