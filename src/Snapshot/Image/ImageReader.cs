using System.IO.Hashing;
using K4os.Compression.LZ4;
using Microsoft.Win32.SafeHandles;
using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// An image open for reading. Everything but the blocks is checked by <see cref="Open"/>; blocks are checked
/// as they are read.
/// </summary>
/// <remarks>Thread-safe; threads that read blocks need a <see cref="BlockScratch"/> each.</remarks>
internal sealed unsafe class ImageReader : IDisposable
{
    private readonly IImageSource _source;
    private readonly ImageIndex _index;

    private ImageReader(
        IImageSource source, ImageHeader header, Version version, ImageFooter footer, ImageIndex index)
    {
        _source = source;
        _index = index;
        Header = header;
        FormatVersion = version;
        IndexChecksum = footer.IndexChecksum;
    }

    /// <summary>
    /// Opens and checks header, footer and index; owns the source from then on, also when it fails.
    /// </summary>
    internal static ImageReader Open(IImageSource source, ImageLimits? limits = null)
    {
        try
        {
            return OpenChecked(source, limits ?? ImageLimits.Default);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    internal string Name => _source.Name;

    /// <summary>Of the file, in bytes, when it was opened.</summary>
    internal long Length { get; private init; }

    /// <inheritdoc cref="IImageSource.File"/>
    internal SafeFileHandle? File => _source.File;

    /// <summary>Determines every byte of the image.</summary>
    internal ulong IndexChecksum { get; }

    internal Version FormatVersion { get; }

    internal ImageHeader Header { get; }

    internal ImageMetadata Metadata => _index.Metadata;

    internal IReadOnlyList<ImageRegion> Regions => _index.Regions;

    /// <summary>In the order of the page stream.</summary>
    internal ReadOnlySpan<ImageBlock> Blocks => _index.Blocks;

    internal long PresentPages => _index.PresentPages;

    /// <summary>Whether blocks lie in the file in another order than in the page stream.</summary>
    internal bool HasFileOrder => _index.FileOrder is not null;

    /// <summary>The number of a block whose place in the order of the file is given.</summary>
    internal int BlockInFile(int place) => _index.FileOrder is { } order ? order[place] : place;

    internal ImageRegion? FindRegion(int id) => _index.RegionsById.GetValueOrDefault(id);

    /// <summary>The block that holds the page with this ordinal.</summary>
    internal int BlockOf(long ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ordinal, PresentPages);
        int low = 0;
        int high = _index.Blocks.Length - 1;
        while (low < high)
        {
            int middle = low + (high - low + 1) / 2;
            if (_index.Blocks[middle].FirstOrdinal <= ordinal) low = middle;
            else high = middle - 1;
        }

        return low;
    }

    /// <summary>
    /// Reads, verifies and decodes a block; the pages are in the scratch until its next use.
    /// </summary>
    internal ReadOnlySpan<byte> ReadBlock(int block, BlockScratch scratch)
    {
        ref readonly ImageBlock entry = ref _index.Blocks[block];
        if (scratch.Owner != this || scratch.CurrentBlock != block)
        {
            scratch.CurrentBlock = -1;
            byte* stored = Fetch(block, scratch);
            int padded = (int)Pages.AlignUp(entry.StoredLength, ImageFormat.PageSize);
            if (BlockChecksum.Of(entry, new ReadOnlySpan<byte>(stored, padded)) != entry.Checksum)
                throw ImageErrors.Corrupt(Name, entry.Offset, $"the checksum of block {block} is wrong");
            scratch.Current = Decode(entry, stored, scratch);
            scratch.CurrentBlock = block;
        }

        return new ReadOnlySpan<byte>(scratch.Current, entry.PageCount * ImageFormat.PageSize);
    }

    /// <summary>The same into memory of the caller, which is not touched unless the block verified.</summary>
    internal void ReadBlock(int block, Span<byte> pages, BlockScratch scratch) =>
        ReadBlock(block, scratch).CopyTo(pages);

    public void Dispose() => _source.Dispose();

    private static ImageReader OpenChecked(IImageSource source, ImageLimits limits)
    {
        const int PageSize = ImageFormat.PageSize;
        string name = source.Name;
        long length = source.Length;
        if (length < 3 * PageSize || length % PageSize != 0)
            throw ImageErrors.Corrupt(name, length, $"a file of {length} bytes is truncated or not an image");

        using AlignedBuffer page = new(PageSize);
        source.Read(0, page.Span);
        ImageHeader header = HeaderPages.ReadHeader(page.Span, name, out Version version);
        ulong headerChecksum = HeaderPages.ChecksumOf(page.Span);

        long footerOffset = length - PageSize;
        source.Read(footerOffset, page.Span);
        ImageFooter footer = HeaderPages.ReadFooter(page.Span, name, footerOffset);
        bool possible =
            footer.FileLength == length && footer.ImageId == header.ImageId && footer.IndexOffset >= PageSize
            && footer.IndexOffset % PageSize == 0 && footer.IndexOffset < footerOffset
            && footer.IndexLength == footerOffset - footer.IndexOffset;
        if (!possible)
            throw ImageErrors.Corrupt(
                name, footerOffset, "the footer belongs to a file of another length or another image");
        if (footer.IndexLength > limits.IndexBytesMax)
        {
            throw ImageErrors.Corrupt(
                name, footer.IndexOffset,
                $"an index of {footer.IndexLength} bytes exceeds the limit of {limits.IndexBytesMax} bytes");
        }

        using AlignedBuffer indexBytes = new((int)footer.IndexLength);
        source.Read(footer.IndexOffset, indexBytes.Span);
        if (XxHash3.HashToUInt64(indexBytes.Span) != footer.IndexChecksum)
            throw ImageErrors.Corrupt(name, footer.IndexOffset, "the checksum of the index is wrong");
        ImageIndex index =
            IndexReader.Read(indexBytes.Span, footer.IndexOffset, headerChecksum, header, name);
        return new ImageReader(source, header, version, footer, index) { Length = length };
    }

    /// <summary>
    /// The stored bytes of a block in the window, which is read from this block on when it is not in it.
    /// </summary>
    private byte* Fetch(int block, BlockScratch scratch)
    {
        ref readonly ImageBlock entry = ref _index.Blocks[block];
        long end = entry.Offset + Pages.AlignUp(entry.StoredLength, ImageFormat.PageSize);
        bool inWindow = scratch.Owner == this && entry.Offset >= scratch.WindowOffset
            && end <= scratch.WindowOffset + scratch.WindowFilled;
        if (!inWindow)
        {
            int length =
                (int)Math.Min(scratch.Window.Length & -ImageFormat.PageSize, _index.BlocksEnd - entry.Offset);
            scratch.Owner = null;
            _source.Read(entry.Offset, scratch.Window.Span[..length]);
            scratch.Owner = this;
            scratch.WindowOffset = entry.Offset;
            scratch.WindowFilled = length;
        }

        return scratch.Window.Pointer + (entry.Offset - scratch.WindowOffset);
    }

    private byte* Decode(in ImageBlock entry, byte* stored, BlockScratch scratch)
    {
        if (entry.Encoding is StoredEncoding.Plain or StoredEncoding.PlainByPage) return stored;
        int length = entry.PageCount * ImageFormat.PageSize;
        // Never writes beyond the target nor reads beyond the stored bytes, whatever these are.
        int decoded = LZ4Codec.Decode(stored, entry.StoredLength, scratch.Decoded.Pointer, length);
        if (decoded != length)
            throw ImageErrors.Corrupt(
                Name, entry.Offset, $"a block of {entry.PageCount} pages does not decode to that many");
        if (entry.Encoding == StoredEncoding.Lz4) return scratch.Decoded.Pointer;
        ByteShuffle.Unshuffle(scratch.Decoded.Pointer, scratch.Unshuffled.Pointer, length, entry.ElementSize);
        if (entry.Encoding == StoredEncoding.DifferenceShuffleLz4)
            ElementDifference.Undo(scratch.Unshuffled.Pointer, length, entry.ElementSize);
        return scratch.Unshuffled.Pointer;
    }
}
