using System.IO.Hashing;
using System.Runtime.InteropServices;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>The checksum of a block as its entry in the index has it: XXH3-64 with seed 0.</summary>
internal static class BlockChecksum
{
    /// <summary>Of a block that was read; what is checked depends on how it is stored.</summary>
    /// <param name="block">Its entry.</param>
    /// <param name="padded">The stored bytes and their padding.</param>
    internal static ulong Of(in ImageBlock block, ReadOnlySpan<byte> padded)
    {
        if (block.Encoding != StoredEncoding.PlainByPage) return OfBytes(padded);
        Span<PageHash> hashes = stackalloc PageHash[ImageFormat.BlockPagesMax];
        hashes.Clear();
        for (int page = 0; page < block.PageCount; page++)
            hashes[page] = PageHash.Of(padded.Slice(page * Pages.Size, Pages.Size));
        return OfHashes(hashes);
    }

    /// <summary>Of the stored bytes and their padding.</summary>
    internal static ulong OfBytes(ReadOnlySpan<byte> padded) => XxHash3.HashToUInt64(padded);

    /// <summary>
    /// Of the hashes of plain pages, which are known already: a second pass over the pages costs as much as
    /// the first.
    /// </summary>
    /// <param name="hashes">64, and the default where there is no page.</param>
    internal static ulong OfHashes(ReadOnlySpan<PageHash> hashes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hashes.Length, ImageFormat.BlockPagesMax);
        return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(hashes));
    }
}
