using Snapshot.Base;

namespace Snapshot.Tracking;

/// <summary>
/// How the pages of a protected buffer, which are counted from its first byte, lie on pages of memory: whole
/// ones, and an edge before and behind them, on pages that hold what belongs to somebody else, too.
/// </summary>
/// <param name="Address">The first byte.</param>
/// <param name="Bytes">How many there are.</param>
internal readonly record struct BufferPages(ulong Address, long Bytes)
{
    /// <summary>Bytes before the first whole page, or all where there is none.</summary>
    internal long LeadBytes =>
        Math.Min(Bytes, Pages.AlignUp((long)Address, Pages.Size) - (long)Address);

    /// <summary>Whole pages of memory that the buffer has for itself.</summary>
    internal long WholePages => (Bytes - LeadBytes) >> Pages.Shift;

    /// <summary>The address of the first whole page.</summary>
    internal ulong WholeStart => Address + (ulong)LeadBytes;

    /// <summary>The address after the last whole page.</summary>
    internal ulong WholeEnd => WholeStart + (ulong)Pages.Bytes(WholePages);

    /// <summary>Where the edge behind the whole pages begins, counted from the first byte.</summary>
    internal long TailOffset => LeadBytes + Pages.Bytes(WholePages);

    /// <summary>Adds the pages of the buffer that have a byte on whole pages of memory.</summary>
    /// <param name="whole">The pages of memory.</param>
    /// <param name="into">What they are added to.</param>
    /// <param name="first">The number that the first whole page has there.</param>
    internal void Spread(PageBitmap whole, PageBitmap into, long first = 0)
    {
        for (long at = 0; whole.NextRun(at, out PageRange run); at = run.End)
            into.Add(Holding(LeadBytes + Pages.Bytes(run.Start - first), Pages.Bytes(run.Count)));
    }

    /// <summary>Adds the pages of the buffer that have no byte elsewhere.</summary>
    internal void SpreadInside(PageBitmap whole, PageBitmap into)
    {
        long first = LeadBytes > 0 ? 1 : 0;
        for (long at = 0; whole.NextRun(at, out PageRange run); at = run.End)
        {
            if (run.Count > first) into.Add(new PageRange(run.Start + first, run.Count - first));
        }
    }

    /// <summary>The pages of the buffer that have some of its bytes.</summary>
    internal static PageRange Holding(long offset, long bytes)
    {
        long first = offset >> Pages.Shift;
        return new PageRange(first, Pages.Holding(offset + bytes) - first);
    }
}
