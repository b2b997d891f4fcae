using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// The memory of one block on its way from the producer to the disk: its pages, and their encoded form where
/// that is what is written. It goes round.
/// </summary>
/// <param name="pool">Whose memory it is.</param>
internal sealed class BlockBuffer(BlockPool pool)
{
    private AlignedBuffer? _encoded;

    internal AlignedBuffer Pages { get; } = pool.Carve();

    /// <summary>Room for the encoded form; taken when it is first needed.</summary>
    internal AlignedBuffer Encoded => _encoded ??= pool.Carve();

    /// <summary>The hashes of the pages as far as they are known, for as many as a block can have.</summary>
    internal PageHash[] Hashes { get; } = new PageHash[ImageFormat.BlockPagesMax];

    /// <summary>The place of the block in the file among blocks.</summary>
    internal int Sequence { get; set; }

    internal int PageCount { get; set; }

    /// <summary>The element size that all its pages have in common, or 0.</summary>
    internal int ElementSize { get; set; }

    /// <summary>Bytes of the pages.</summary>
    internal int Length => PageCount * ImageFormat.PageSize;

    /// <summary>No page is in it any more.</summary>
    internal void Clear()
    {
        PageCount = 0;
        Array.Clear(Hashes);
    }
}
