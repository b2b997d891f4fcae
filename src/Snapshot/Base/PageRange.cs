namespace Snapshot.Base;

/// <summary>A run of pages, as indexes from the base of its region.</summary>
internal readonly record struct PageRange(long Start, long Count)
{
    /// <summary>The page after the last.</summary>
    internal long End => Start + Count;
}
