namespace Snapshot;

/// <summary>What a participant brings along when it attaches. Immutable.</summary>
public sealed class ParticipantOptions
{
    /// <summary>
    /// Sync handlers to register, in this order. After a restart Attach registers all of them, then resumes
    /// those that the image names, first registered first, and then returns.
    /// </summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<(string Name, ICheckpointHandler Handler)> Handlers { get; init; } = [];

    /// <summary>Gates for this participant in place of the session's.</summary>
    /// <value>Default: null, the session's.</value>
    public Gates? Gates { get; init; }

    /// <summary>The first value of <see cref="Participant.Activity"/>.</summary>
    /// <value>Default: null.</value>
    public string? Activity { get; init; }
}
