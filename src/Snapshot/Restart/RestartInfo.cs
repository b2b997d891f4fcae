namespace Snapshot;

/// <summary>What a session was restarted from and what it took.</summary>
public sealed record RestartInfo
{
    /// <summary>The generation whose state the session continues.</summary>
    public required long Generation { get; init; }

    /// <summary>Images that were read: that generation and its ancestors back to a full one.</summary>
    public required int ChainLength { get; init; }

    /// <summary>Bytes of memory restored.</summary>
    public required long BytesRestored { get; init; }

    /// <summary>Opening, verifying and planning, before any memory was mapped.</summary>
    public required TimeSpan Plan { get; init; }

    /// <summary>Reading, verifying and decoding into memory.</summary>
    public required TimeSpan Fill { get; init; }

    /// <summary>
    /// Younger generations that did not verify, newest first; empty unless falling back was allowed and needed.
    /// </summary>
    public required IReadOnlyList<SkippedGeneration> Skipped { get; init; }
}

/// <summary>A generation that a restart passed over.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record SkippedGeneration(long Generation, SnapshotException Reason);
