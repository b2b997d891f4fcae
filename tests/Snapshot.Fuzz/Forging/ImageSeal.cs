using System.Buffers.Binary;
using System.IO.Hashing;
using Snapshot.Image;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Fuzz.Forging;

/// <summary>
/// Makes the checksums of an image right whatever its content is, so that what refuses it is a check of the
/// content. Where a length or an offset makes no sense the checksum that would depend on it stays as it is.
/// </summary>
internal static class ImageSeal
{
    internal static void Mend(Span<byte> file)
    {
        if (file.Length < 3 * PageSize) return;
        Span<byte> footer = file[^PageSize..];
        ulong indexOffset = BinaryPrimitives.ReadUInt64LittleEndian(footer[Footer.IndexOffset..]);
        MendPage(file[..PageSize]);
        if (indexOffset >= PageSize && indexOffset <= (ulong)(file.Length - 2 * PageSize))
        {
            Span<byte> index = file[(int)indexOffset..^PageSize];
            file.Slice(PageChecksumOffset, 8).CopyTo(index[IndexMagic.Length..]);
            MendBlocks(file, index);
            BinaryPrimitives.WriteUInt64LittleEndian(
                footer[Footer.IndexChecksum..], XxHash3.HashToUInt64(index));
        }

        MendPage(footer);
    }

    private static void MendPage(Span<byte> page) => BinaryPrimitives.WriteUInt64LittleEndian(
        page[PageChecksumOffset..], XxHash3.HashToUInt64(page[..PageChecksumOffset]));

    /// <summary>Walks the sections to that of the blocks, as far as they can be walked.</summary>
    private static void MendBlocks(Span<byte> file, Span<byte> index)
    {
        for (int at = IndexPreambleBytes; at <= index.Length - SectionHeaderBytes;)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(index[(at + 8)..]);
            Span<byte> rest = index[(at + SectionHeaderBytes)..];
            if (length > (ulong)rest.Length) return;
            if (BinaryPrimitives.ReadUInt32LittleEndian(index[at..]) == Section.Blocks)
                MendEntries(file, rest[..(int)length]);
            at += SectionHeaderBytes + (int)Math.Min((length + 7) & ~7UL, (ulong)rest.Length);
        }
    }

    private static void MendEntries(Span<byte> file, Span<byte> blocks)
    {
        for (int at = sizeof(ulong); at <= blocks.Length - BlockEntryBytes; at += BlockEntryBytes)
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(blocks[at..]);
            uint stored = BinaryPrimitives.ReadUInt32LittleEndian(blocks[(at + 16)..]);
            ushort pages = BinaryPrimitives.ReadUInt16LittleEndian(blocks[(at + 20)..]);
            ulong length = (stored + 4095UL) & ~4095UL;
            if (offset > (ulong)file.Length || length > (ulong)file.Length - offset) continue;
            ImageBlock block = new(
                (long)offset, 0, 0, (int)stored, pages, (StoredEncoding)blocks[at + 22], 0);
            if (block.Encoding == StoredEncoding.PlainByPage && stored != pages * 4096u) continue;
            BinaryPrimitives.WriteUInt64LittleEndian(
                blocks[(at + 8)..], BlockChecksum.Of(block, file.Slice((int)offset, (int)length)));
        }
    }
}
