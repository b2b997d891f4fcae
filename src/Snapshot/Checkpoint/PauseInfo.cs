namespace Snapshot;

/// <summary>The pause of one checkpoint and its parts, as measured.</summary>
public sealed record PauseInfo
{
    /// <summary>From the first participant stopped to the last released: what the application feels.</summary>
    public required TimeSpan Total { get; init; }

    /// <summary>
    /// From the first participant stopped to the last arrival: skew between participants, and their sync handlers.
    /// </summary>
    public required TimeSpan Gather { get; init; }

    /// <summary>Taking and re-arming the set of changed pages.</summary>
    public required TimeSpan Collect { get; init; }

    /// <summary>Copying pages.</summary>
    public required TimeSpan Copy { get; init; }

    /// <summary>Letting the participants go; what is left then is the time the system takes to wake them.</summary>
    public required TimeSpan Release { get; init; }

    /// <summary>
    /// How long the application stood still once before, so that written pages were found and could be copied beside
    /// it; zero when it did not. Not in <see cref="Total"/>.
    /// </summary>
    public required TimeSpan EarlyStop { get; init; }

    /// <summary>Pages copied inside the pause.</summary>
    public required long PagesCopied { get; init; }

    /// <summary>
    /// Bytes of managed memory allocated by the checkpoint between the last arrival and the release: 0.
    /// </summary>
    public required long ManagedBytesAllocated { get; init; }
}
