namespace Snapshot;

/// <summary>What a handler threw where throwing does not undo the checkpoint.</summary>
public sealed class HandlerError
{
    internal HandlerError(
        string handler, string? participant, string part, long generation, Exception exception)
    {
        Handler = handler;
        Participant = participant;
        Part = part;
        Generation = generation;
        Exception = exception;
    }

    /// <summary>The handler's name.</summary>
    public string Handler { get; }

    /// <summary>The participant of a sync handler; null for an async one.</summary>
    public string? Participant { get; }

    /// <summary>"resume" or "committed".</summary>
    public string Part { get; }

    /// <summary>The generation.</summary>
    public long Generation { get; }

    /// <summary>What was thrown.</summary>
    public Exception Exception { get; }
}
