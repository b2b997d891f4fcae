using System.Buffers.Binary;
using Snapshot.Fuzz.Forging;
using Snapshot.Image;
using Snapshot.Memory;

namespace Snapshot.Tests.Image;

/// <summary>
/// The content of the first arena of an image whose blocks are plain, to be changed where it lies.
/// </summary>
internal sealed class ForgedArena(ImageParts parts)
{
    internal const int Directory = ArenaHeader.Bytes;
    internal const int FirstRootField = 64;
    internal const int RootCountField = 72;

    internal long FirstRoot => (long)this[FirstRootField];

    internal ulong this[long offset]
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(At(offset));
        set => BinaryPrimitives.WriteUInt64LittleEndian(At(offset), value);
    }

    /// <summary>
    /// The bytes from an offset in the arena to the end of its page, which is in the image.
    /// </summary>
    internal Span<byte> At(long offset)
    {
        long ordinal = 0, page = 0;
        byte[] extents = parts.Section("EXTN");
        for (int at = 8; ; at += ImageFormat.ExtentBytes)
        {
            ImageExtent extent = new(BitConverter.ToUInt64(extents, at), page, ordinal);
            if (offset >> 12 < page + extent.PageCount)
            {
                if (extent.Kind != ExtentKind.Present)
                    throw new ArgumentException($"page {offset >> 12} is not there");
                return InBlock(ordinal + (offset >> 12) - page)[(int)(offset & 4095)..];
            }

            if (extent.Kind == ExtentKind.Present) ordinal += extent.PageCount;
            page += extent.PageCount;
        }
    }

    private Span<byte> InBlock(long ordinal)
    {
        byte[] blocks = parts.Section("BLKS");
        for (int at = 8; ; at += ImageFormat.BlockEntryBytes)
        {
            int pages = BitConverter.ToUInt16(blocks, at + 20);
            int offset = (int)BitConverter.ToUInt64(blocks, at) - ImageFormat.PageSize;
            if (ordinal < pages) return parts.Blocks.AsSpan(offset + (int)ordinal * 4096, 4096);
            ordinal -= pages;
        }
    }
}
