using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>The pages of a region whose content is still to come. Thread-safe.</summary>
internal interface IAwaitedPages
{
    /// <summary>Returns when all of a range is there.</summary>
    /// <exception cref="SnapshotException">Corrupt, StoreIo: it cannot be had.</exception>
    public void Fetch(PageRange pages);

    /// <summary>
    /// Nothing of a range is to come any more: no page of it is filled after the return. Discard it then, and
    /// say so.
    /// </summary>
    public void Forget(PageRange pages);

    /// <summary>
    /// A range that is forgotten was discarded: whoever waits for a page of it looks again.
    /// </summary>
    public void Discarded(PageRange pages);
}
