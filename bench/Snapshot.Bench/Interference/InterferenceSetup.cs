namespace Snapshot.Bench;

/// <summary>What runs, and how it is checkpointed.</summary>
internal sealed record InterferenceSetup
{
    internal required string Computation { get; init; }

    internal required long ArenaBytes { get; init; }

    internal required int Threads { get; init; }

    /// <summary>From one request to the next, as far as checkpoints end in that time.</summary>
    internal required TimeSpan Every { get; init; }

    /// <summary>
    /// How long the work takes without checkpoints, about; from it the amount of work follows.
    /// </summary>
    internal required TimeSpan Length { get; init; }

    internal required BlockEncoding Encoding { get; init; }

    internal required string Directory { get; init; }
}

/// <summary>What a run of the same work is done under.</summary>
internal enum Disturbance
{
    /// <summary>There was no checkpoint, and nothing is watched.</summary>
    None,

    /// <summary>
    /// A checkpoint has ended before and all has been written since: nothing is watched, but the pages may be
    /// smaller than they were.
    /// </summary>
    Settled,

    /// <summary>A checkpoint has ended before, and none is taken: each first write is noticed once.</summary>
    Watched,

    /// <summary>Checkpoints are taken; the run begins as a settled one.</summary>
    Checkpoints,
}
