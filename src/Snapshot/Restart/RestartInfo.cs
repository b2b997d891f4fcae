namespace Snapshot;

/// <summary>What a session was restarted from and what it took.</summary>
public sealed class RestartInfo
{
    internal RestartInfo(
        long generation, int chainLength, RestartFill mode, RestartResidency residency,
        bool waitsInSystemCalls,
        long bytesRestored, IReadOnlyList<SkippedGeneration> skipped, string? tag)
    {
        Generation = generation;
        Tag = tag;
        ChainLength = chainLength;
        Mode = mode;
        Residency = residency;
        WaitsInSystemCalls = waitsInSystemCalls;
        BytesRestored = bytesRestored;
        Skipped = skipped;
    }

    /// <summary>The generation whose state the session continues.</summary>
    public long Generation { get; }

    /// <summary>
    /// What the program called that generation (<see cref="CheckpointOptions.Tag"/>), or null.
    /// </summary>
    public string? Tag { get; }

    /// <summary>Images that were read: that generation and its ancestors back to a full one.</summary>
    public int ChainLength { get; }

    /// <summary>Whether memory was read before the session began, or comes as it is touched.</summary>
    public RestartFill Mode { get; }

    /// <summary>
    /// Why memory was read before the session began although <see cref="RestartOptions.Fill"/> says
    /// otherwise; null where it was read as asked.
    /// </summary>
    public string? FillReason { get; internal set; }

    /// <summary>How much of the memory is there by now, and a task that ends when all of it is.</summary>
    public RestartResidency Residency { get; }

    /// <summary>
    /// Whether a system call that touches a page not yet there waits for it, as all other code does. False
    /// only after a lazy restart without privilege: such a call, for instance a read of a file into an arena,
    /// then fails with EFAULT until <see cref="RestartResidency.Completed"/>, and in memory that was freed
    /// also later. Touch the memory before.
    /// </summary>
    public bool WaitsInSystemCalls { get; }

    /// <summary>Bytes of memory restored, or, lazily, to be restored.</summary>
    public long BytesRestored { get; }

    /// <summary>
    /// Younger generations that did not verify, newest first; empty unless falling back was allowed and
    /// needed.
    /// </summary>
    public IReadOnlyList<SkippedGeneration> Skipped { get; }
}

/// <summary>A generation that a restart passed over.</summary>
public sealed class SkippedGeneration
{
    internal SkippedGeneration(long generation, SnapshotException reason)
    {
        Generation = generation;
        Reason = reason;
    }

    /// <summary>The generation.</summary>
    public long Generation { get; }

    /// <summary>What is wrong with it.</summary>
    public SnapshotException Reason { get; }
}
