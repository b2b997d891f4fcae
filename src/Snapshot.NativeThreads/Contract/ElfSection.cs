namespace Snapshot.NativeThreads;

/// <summary>
/// A section: it gives a place in the library its name. Nothing at run time depends on sections.
/// </summary>
internal sealed record ElfSection(
    string Name, uint Type, AddressRange Memory, ulong Offset, ulong Size, uint Link)
{
    /// <summary>The type of the table of symbols for debuggers.</summary>
    internal const uint SymbolTable = 2;

    private const ulong HeaderSize = 64;
    private const uint NoBytes = 8;

    /// <summary>All sections in their order; none when their table has been stripped.</summary>
    internal static IReadOnlyList<ElfSection> ReadAll(ElfImage image)
    {
        ElfBytes bytes = image.Bytes;
        ulong table = bytes.U64(40);
        ushort count = bytes.U16(60);
        if (table == 0 || count == 0) return [];
        ushort names = bytes.U16(62);
        if (bytes.U16(58) != HeaderSize || names >= count)
            throw bytes.Damaged(58, $"{count} section headers, their names in number {names}");
        bytes.Take(table, count * HeaderSize);
        ulong strings = bytes.U64(table + names * HeaderSize + 24);
        ElfSection[] sections = new ElfSection[count];
        for (uint index = 0; index < count; index++)
            sections[index] = Read(bytes, table + index * HeaderSize, strings);
        return sections;
    }

    /// <summary>The name of what is at an address, or the address itself.</summary>
    internal static string NameAt(IEnumerable<ElfSection> sections, ulong address) =>
        sections.FirstOrDefault(
            section => section.Memory.Start != 0 && section.Memory.Contains(address))?.Name
        ?? $"0x{address:x}";

    private static ElfSection Read(ElfBytes bytes, ulong at, ulong strings)
    {
        uint type = bytes.U32(at + 4);
        ulong address = bytes.U64(at + 16);
        ulong offset = bytes.U64(at + 24);
        ulong size = bytes.U64(at + 32);
        if (type is not 0 and not NoBytes) bytes.Take(offset, size);
        if (size > ulong.MaxValue - address) throw bytes.Damaged(at, "a section does not end");
        if (bytes.U32(at) > bytes.Length) throw bytes.Damaged(at, "the name of a section is not in the file");
        return new ElfSection(
            bytes.Name(strings + bytes.U32(at)),
            type,
            new AddressRange(address, size),
            offset,
            size,
            bytes.U32(at + 40));
    }
}
