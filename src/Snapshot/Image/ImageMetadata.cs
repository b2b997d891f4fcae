using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>Everything an image says apart from the memory itself.</summary>
internal sealed record ImageMetadata
{
    internal IReadOnlyList<RootDescription> Roots { get; init; } = [];

    /// <summary>
    /// Every lock owner id that was ever given: a lock in an arena may be held by any of them.
    /// </summary>
    internal IReadOnlyList<LockOwnerDescription> Owners { get; init; } = [];

    internal IReadOnlyList<ParticipantDescription> Participants { get; init; } = [];

    internal IReadOnlyList<HandlerDescription> AsyncHandlers { get; init; } = [];

    internal EnvironmentDescription? Environment { get; init; }

    /// <summary>What the capture reported about itself: names and values, in the order written.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Figures { get; init; } = [];
}
