using System.Globalization;

namespace Snapshot.NativeThreads;

/// <summary>The notes of a library: small named records, of which the build id is one.</summary>
internal static class ElfNotes
{
    private const uint BuildIdType = 3;
    private const ulong HeaderSize = 12;

    /// <summary>
    /// The build id in hexadecimal digits, or null: it names what was linked, down to the byte.
    /// </summary>
    internal static string? BuildIdOf(ElfImage image) =>
        Find(image, "GNU\0"u8, BuildIdType) is { Length: > 0 } id
            ? Convert.ToHexString(image.Bytes.Take(id.Start, id.Length)).ToLower(CultureInfo.InvariantCulture)
            : null;

    /// <summary>Where in the file the content of the first note of a kind is, or null.</summary>
    /// <param name="image">The library.</param>
    /// <param name="owner">Whose note it is, with the zero byte that ends the name.</param>
    /// <param name="type">Which of the owner's notes.</param>
    internal static AddressRange? Find(ElfImage image, ReadOnlySpan<byte> owner, uint type)
    {
        foreach (ElfSegment segment in image.Segments)
        {
            if (segment.Type == ElfSegmentType.Note &&
                FindIn(image.Bytes, segment, owner, type) is { } content)
                return content;
        }

        return null;
    }

    private static AddressRange? FindIn(
        ElfBytes bytes, ElfSegment segment, ReadOnlySpan<byte> owner, uint type)
    {
        ulong alignment = segment.Alignment == 8 ? 8UL : 4UL;
        ulong end = segment.Offset + segment.FileSize;
        for (ulong at = segment.Offset; at + HeaderSize <= end;)
        {
            uint nameSize = bytes.U32(at);
            uint size = bytes.U32(at + 4);
            ulong content = at + Round(HeaderSize + nameSize, alignment);
            if (content + size > end) throw bytes.Damaged(at, "a note does not end within its segment");
            if (bytes.U32(at + 8) == type && bytes.Take(at + HeaderSize, nameSize).SequenceEqual(owner))
                return new AddressRange(content, size);
            at = content + Round(size, alignment);
        }

        return null;
    }

    private static ulong Round(ulong size, ulong alignment) => (size + alignment - 1) & ~(alignment - 1);
}
