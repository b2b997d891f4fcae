using System.Globalization;

namespace Snapshot.NativeThreads;

/// <summary>The notes of a library: small named records, of which the build id is one.</summary>
internal static class ElfNotes
{
    private const uint BuildIdType = 3;

    /// <summary>
    /// The build id in hexadecimal digits, or null: it names what was linked, down to the byte.
    /// </summary>
    internal static string? BuildIdOf(ElfImage image)
    {
        foreach (ElfSegment segment in image.Segments)
        {
            if (segment.Type == ElfSegmentType.Note && BuildIdIn(image.Bytes, segment) is { } id) return id;
        }

        return null;
    }

    private static string? BuildIdIn(ElfBytes bytes, ElfSegment segment)
    {
        ulong alignment = segment.Alignment == 8 ? 8UL : 4UL;
        ulong end = segment.Offset + segment.FileSize;
        for (ulong at = segment.Offset; at + 12 <= end;)
        {
            uint nameSize = bytes.U32(at);
            uint size = bytes.U32(at + 4);
            ulong content = at + Round(12UL + nameSize, alignment);
            ulong next = content + Round(size, alignment);
            if (content + size > end) throw bytes.Damaged(at, "a note does not end within its segment");
            if (bytes.U32(at + 8) == BuildIdType && size > 0 &&
                bytes.Take(at + 12, nameSize).SequenceEqual("GNU\0"u8))
                return Convert.ToHexString(bytes.Take(content, size)).ToLower(CultureInfo.InvariantCulture);
            at = next;
        }

        return null;
    }

    private static ulong Round(ulong size, ulong alignment) => (size + alignment - 1) & ~(alignment - 1);
}
