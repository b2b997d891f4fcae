using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// One 128-bit content hash per page of a region, or "unknown": what each page held when it was last
/// recorded.
/// </summary>
/// <remarks>
/// The hash of a page of zeros is known, and a partial last page of zeros has the same. Not stored in any
/// image. No member allocates managed memory after construction. Threads may work on different pages at the
/// same time.
/// </remarks>
internal sealed unsafe class PageHashes : IDisposable
{
    /// <summary>16 bytes a page; 0 = unknown. Memory is used only where pages were recorded.</summary>
    private readonly SparseMemory _memory;

    private PageHash* _hashes;

    internal PageHashes(long capacityPages)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacityPages);
        CapacityPages = capacityPages;
        _memory = new SparseMemory(capacityPages * sizeof(PageHash), "the hashes of pages");
        _hashes = (PageHash*)_memory.Address;
    }

    internal long CapacityPages { get; }

    /// <summary>True when every byte is zero.</summary>
    internal static bool IsZero(ReadOnlySpan<byte> content) => !content.ContainsAnyExcept((byte)0);

    /// <summary>The hash of a page's content, of all of it or of the part that a buffer ends with.</summary>
    /// <remarks>
    /// A whole page is not tested for zeros first, for hashing is as fast: such a test would wait for the
    /// first bytes to arrive from memory before the others are asked for, which halves the speed. It is
    /// hashed by the C part, which is as fast in the first moments of a process as later.
    /// </remarks>
    internal static PageHash Hash(ReadOnlySpan<byte> content)
    {
        if (content.Length < Pages.Size) return IsZero(content) ? PageHash.Zeros : PageHash.Of(content);
        PageHash hash;
        fixed (byte* page = content) _ = Native.sn_block_page_hash(page, (ulong*)&hash);
        return hash;
    }

    internal bool IsKnown(long page) => At(page).IsKnown;

    /// <summary>
    /// True when the page was recorded with exactly this content; the hash is for <see cref="Set"/>.
    /// </summary>
    internal bool Matches(long page, ReadOnlySpan<byte> content, out PageHash hash)
    {
        hash = Hash(content);
        return At(page) == hash;
    }

    /// <summary>True when the page was recorded with this hash.</summary>
    internal bool Matches(long page, PageHash hash) => At(page) == hash;

    /// <summary>Records what a page holds.</summary>
    internal void Set(long page, PageHash hash) => At(page) = hash;

    /// <summary>Makes pages unknown: whatever they hold next counts as different.</summary>
    internal void Forget(PageBitmap pages)
    {
        for (long at = 0; pages.NextRun(at, out PageRange run); at = run.End)
        {
            // Writing only what is recorded keeps the rest of the table without memory.
            for (long page = run.Start; page < run.End; page++)
            {
                if (IsKnown(page)) At(page) = default;
            }
        }
    }

    /// <summary>
    /// Where the hash of a page is, for code that records it there as <see cref="Set"/> does: its bytes as
    /// they lie in memory, low half first.
    /// </summary>
    internal ulong AddressOf(long page)
    {
        if ((ulong)page >= (ulong)CapacityPages) ThrowPage(page);
        return (ulong)(_hashes + page);
    }

    public void Dispose()
    {
        _memory.Dispose();
        _hashes = null;
    }

    private ref PageHash At(long page)
    {
        if ((ulong)page >= (ulong)CapacityPages) ThrowPage(page);
        return ref _hashes[page];
    }

    private void ThrowPage(long page) =>
        throw new ArgumentOutOfRangeException(
            nameof(page), $"page {page} is not among the {CapacityPages} pages of the table");
}
