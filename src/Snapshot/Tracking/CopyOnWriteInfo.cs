namespace Snapshot;

/// <summary>
/// What writes to arenas captured by copy-on-write cost, from the commit of the checkpoint before (or the beginning
/// of the session) to that of this one.
/// </summary>
public sealed record CopyOnWriteInfo
{
    /// <summary>
    /// Writes that waited until memory was opened for them: the first to a block of 2 MiB after a capture.
    /// </summary>
    public required long Faults { get; init; }

    /// <summary>Pages opened ahead of a sweep, so that it did not have to wait for each block.</summary>
    public required long PagesOpenedAhead { get; init; }

    /// <summary>Pages copied because the drain had not come to them yet; of 4096 bytes.</summary>
    public required long PagesCopied { get; init; }

    /// <summary>
    /// Times a write waited for the drain to return memory for its copy, because fresh memory takes longer, or
    /// because <see cref="SnapshotOptions.StagingLimit"/> was reached.
    /// </summary>
    public required long Waits { get; init; }

    /// <summary>Time that copying took, on the threads that serve writes.</summary>
    public required TimeSpan Copying { get; init; }

    /// <summary>Time that writes waited for the drain, of all of them together.</summary>
    public required TimeSpan Waiting { get; init; }

    /// <summary>What came after an earlier moment; null: all.</summary>
    internal CopyOnWriteInfo Since(CopyOnWriteInfo? before) => before is null ? this : new()
    {
        Faults = Faults - before.Faults,
        PagesOpenedAhead = PagesOpenedAhead - before.PagesOpenedAhead,
        PagesCopied = PagesCopied - before.PagesCopied,
        Waits = Waits - before.Waits,
        Copying = Copying - before.Copying,
        Waiting = Waiting - before.Waiting,
    };
}
