namespace Snapshot;

/// <summary>The pause of one checkpoint and its parts, as measured.</summary>
public sealed class PauseInfo
{
    internal PauseInfo(
        TimeSpan total, TimeSpan gather, TimeSpan collect, TimeSpan copy, TimeSpan release,
        TimeSpan earlyStop,
        long pagesCopied, long managedBytesAllocated)
    {
        Total = total;
        Gather = gather;
        Collect = collect;
        Copy = copy;
        Release = release;
        EarlyStop = earlyStop;
        PagesCopied = pagesCopied;
        ManagedBytesAllocated = managedBytesAllocated;
    }

    /// <summary>
    /// From the first participant stopped to the last released: what the application feels.
    /// </summary>
    public TimeSpan Total { get; }

    /// <summary>
    /// From the first participant stopped to the last arrival: skew between participants, and their sync
    /// handlers.
    /// </summary>
    public TimeSpan Gather { get; }

    /// <summary>Taking and re-arming the set of changed pages.</summary>
    public TimeSpan Collect { get; }

    /// <summary>Copying pages.</summary>
    public TimeSpan Copy { get; }

    /// <summary>
    /// Letting the participants go; what is left then is the time the system takes to wake them.
    /// </summary>
    public TimeSpan Release { get; }

    /// <summary>
    /// How long the application stood still once before, so that written pages were found and could be copied
    /// beside it; zero when it did not. Not in <see cref="Total"/>.
    /// </summary>
    public TimeSpan EarlyStop { get; }

    /// <summary>Pages copied inside the pause.</summary>
    public long PagesCopied { get; }

    /// <summary>
    /// Bytes of managed memory allocated by the checkpoint between the last arrival and the release: 0.
    /// </summary>
    internal long ManagedBytesAllocated { get; }
}
