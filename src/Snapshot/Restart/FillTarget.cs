using Snapshot.Base;
using Snapshot.Tracking;

namespace Snapshot.Restart;

/// <summary>The memory that a restart fills for one region, and the hashes of what it puts there.</summary>
internal sealed unsafe class FillTarget(byte* address, long pages, PageHashes hashes)
{
    internal PageHashes Hashes => hashes;

    internal byte* Address => address;

    /// <summary>
    /// Copies decoded pages in and notes their hashes, so that the first increment knows what the image has.
    /// </summary>
    /// <remarks>Thread-safe for disjoint pages.</remarks>
    internal void Put(long firstPage, ReadOnlySpan<byte> content)
    {
        int count = content.Length / Pages.Size;
        if (firstPage < 0 || firstPage > pages - count)
            throw new InvalidOperationException(
                $"pages [{firstPage}, {firstPage + count}) are not within the {pages} pages of the region");
        content.CopyTo(new Span<byte>(address + Pages.Bytes(firstPage), content.Length));
        for (int page = 0; page < count; page++)
            hashes.Set(firstPage + page, PageHashes.Hash(content.Slice(page * Pages.Size, Pages.Size)));
    }
}
