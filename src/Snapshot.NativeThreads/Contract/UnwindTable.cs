using System.Buffers.Binary;

namespace Snapshot.NativeThreads;

/// <summary>
/// The sorted table (.eh_frame_hdr) by which a stack walk finds how to leave a function: one entry for each.
/// </summary>
internal static class UnwindTable
{
    private const byte Version = 1;
    private const ulong HeaderSize = 12;
    private const byte CountIs4Bytes = 0x03;
    private const byte EntriesAreRelativeTo4Bytes = 0x3b;
    private const byte ValueIs4Bytes = 0x0b;
    private const byte SizeOfEncoding = 0x0f;
    private const ulong EntrySize = 8;

    /// <summary>
    /// Where the functions begin that have an entry; null when there is no table to search.
    /// </summary>
    internal static HashSet<ulong>? FunctionsOf(ElfImage image)
    {
        if (image.Find(ElfSegmentType.UnwindHeader) is not { FileSize: >= HeaderSize } segment) return null;
        ElfBytes bytes = image.Bytes;
        ulong at = segment.Offset;
        bool isKnown = bytes.U8(at) == Version && (bytes.U8(at + 1) & SizeOfEncoding) == ValueIs4Bytes
            && bytes.U8(at + 2) == CountIs4Bytes && bytes.U8(at + 3) == EntriesAreRelativeTo4Bytes;
        if (!isKnown) return null;
        uint count = bytes.U32(at + 8);
        ReadOnlySpan<byte> entries = bytes.Take(at + HeaderSize, count * EntrySize);
        HashSet<ulong> functions = new((int)count);
        for (int index = 0; index < entries.Length; index += (int)EntrySize)
        {
            int distance = BinaryPrimitives.ReadInt32LittleEndian(entries[index..]);
            functions.Add(segment.Memory.Start + (ulong)distance);
        }

        return functions;
    }
}
