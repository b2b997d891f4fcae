namespace Snapshot;

/// <summary>
/// What writes to arenas captured by copy-on-write cost, from the commit of the checkpoint before (or the
/// beginning of the session) to that of this one.
/// </summary>
public sealed class CopyOnWriteInfo
{
    internal CopyOnWriteInfo(
        long faults, long pagesOpenedAhead, long pagesCopied, long waits, TimeSpan copying, TimeSpan waiting)
    {
        Faults = faults;
        PagesOpenedAhead = pagesOpenedAhead;
        PagesCopied = pagesCopied;
        Waits = waits;
        Copying = copying;
        Waiting = waiting;
    }

    /// <summary>
    /// Writes that waited until memory was opened for them: the first to a span of 2 MiB after a capture.
    /// </summary>
    public long Faults { get; }

    /// <summary>Pages opened ahead of a sweep, so that it did not have to wait for each span.</summary>
    public long PagesOpenedAhead { get; }

    /// <summary>Pages copied because the drain had not come to them yet; of 4096 bytes.</summary>
    public long PagesCopied { get; }

    /// <summary>
    /// Times a write waited for the drain to return memory for its copy, because fresh memory takes longer,
    /// or because <see cref="SnapshotTuning.StagingLimit"/> was reached.
    /// </summary>
    public long Waits { get; }

    /// <summary>Time that copying took, on the threads that serve writes.</summary>
    public TimeSpan Copying { get; }

    /// <summary>Time that writes waited for the drain, of all of them together.</summary>
    public TimeSpan Waiting { get; }

    /// <summary>What came after an earlier moment; null: all.</summary>
    internal CopyOnWriteInfo Since(CopyOnWriteInfo? before) => before is null ? this : new(
        faults: Faults - before.Faults,
        pagesOpenedAhead: PagesOpenedAhead - before.PagesOpenedAhead,
        pagesCopied: PagesCopied - before.PagesCopied,
        waits: Waits - before.Waits,
        copying: Copying - before.Copying,
        waiting: Waiting - before.Waiting);
}
