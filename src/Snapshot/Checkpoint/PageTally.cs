namespace Snapshot.Checkpoint;

/// <summary>Counts the pages of an image while it is written.</summary>
internal sealed class PageTally(Action<long> progress)
{
    private long _seen;

    /// <summary>Pages whose content differs from the parent image's.</summary>
    internal long Changed { get; set; }

    /// <summary>Notes that this many more tracked pages were looked at.</summary>
    internal void Seen(long pages) => progress(_seen += pages);
}
