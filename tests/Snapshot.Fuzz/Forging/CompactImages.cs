using System.Buffers.Binary;
using Snapshot.Image;

namespace Snapshot.Fuzz.Forging;

/// <summary>
/// Images without their padding, footers and checksums, one after the other: a fuzzer then changes only bytes
/// that say something. An image is 80 bytes of its header page, two u16 (bytes of blocks, bytes of index),
/// blocks, index.
/// </summary>
internal static class CompactImages
{
    private const int HeaderBytes = 80;
    private const int ImagesMax = 4;

    internal static byte[] Pack(IEnumerable<byte[]> files)
    {
        FormatWriter packed = new();
        foreach (byte[] file in files)
        {
            ReadOnlySpan<byte> footer = file.AsSpan(^ImageFormat.PageSize..);
            int indexOffset =
                (int)BinaryPrimitives.ReadUInt64LittleEndian(footer[ImageFormat.Footer.IndexOffset..]);
            int used = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(indexOffset + 24));
            packed.Bytes(file.AsSpan(0, HeaderBytes));
            ReadOnlySpan<byte> blocks = file.AsSpan(ImageFormat.PageSize..indexOffset).TrimEnd((byte)0);
            packed.U16(checked((ushort)blocks.Length));
            packed.U16(checked((ushort)used));
            packed.Bytes(blocks);
            packed.Bytes(file.AsSpan(indexOffset, used));
        }

        return packed.Written.ToArray();
    }

    /// <summary>
    /// Files whose layout and checksums are right, from any bytes; what is missing at the end is zero.
    /// </summary>
    internal static byte[][] Expand(ReadOnlySpan<byte> packed)
    {
        List<byte[]> files = [];
        while (packed.Length >= HeaderBytes + 4 && files.Count < ImagesMax)
        {
            ReadOnlySpan<byte> header = packed[..HeaderBytes];
            int blockBytes = BinaryPrimitives.ReadUInt16LittleEndian(packed[HeaderBytes..]);
            int indexBytes = BinaryPrimitives.ReadUInt16LittleEndian(packed[(HeaderBytes + 2)..]);
            packed = packed[(HeaderBytes + 4)..];
            ReadOnlySpan<byte> blocks = Take(ref packed, blockBytes);
            files.Add(ImageFile.Assemble(header, blocks, Take(ref packed, indexBytes)));
        }

        return [.. files];
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> from, int count)
    {
        ReadOnlySpan<byte> taken = from[..Math.Min(count, from.Length)];
        from = from[taken.Length..];
        return taken;
    }
}
