namespace Snapshot;

/// <summary>What a session was restarted from and what it took.</summary>
public sealed record RestartInfo
{
    /// <summary>The generation whose state the session continues.</summary>
    public required long Generation { get; init; }

    /// <summary>Images that were read: that generation and its ancestors back to a full one.</summary>
    public required int ChainLength { get; init; }

    /// <summary>Whether memory was read before the session began, or comes as it is touched.</summary>
    public required RestartFill Mode { get; init; }

    /// <summary>How much of the memory is there by now, and a task that ends when all of it is.</summary>
    public required RestartResidency Residency { get; init; }

    /// <summary>
    /// Whether a system call that touches a page not yet there waits for it, as all other code does. False only after a
    /// lazy restart without privilege (<see cref="Capability.PagesOnDemandInSystemCalls"/>): such a call, for
    /// instance a read of a file into an arena, then fails with EFAULT until <see cref="RestartResidency.Completed"/>,
    /// and in memory that was freed also later. Touch the memory before.
    /// </summary>
    public required bool WaitsInSystemCalls { get; init; }

    /// <summary>Bytes of memory restored, or, lazily, to be restored.</summary>
    public required long BytesRestored { get; init; }

    /// <summary>Opening, verifying and planning, before any memory was mapped.</summary>
    public required TimeSpan Plan { get; init; }

    /// <summary>
    /// Reading, verifying and decoding into memory, as far as it was done before the session began.
    /// </summary>
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
