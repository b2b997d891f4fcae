namespace Snapshot.NativeThreads;

/// <summary>What a symbol stands for; the numbers are those of the ELF specification.</summary>
internal enum ElfSymbolType : byte
{
    None = 0,
    Variable = 1,
    Function = 2,
    Section = 3,
    File = 4,
    ThreadLocal = 6,
    IndirectFunction = 10,
}

/// <summary>One symbol of a library.</summary>
/// <param name="Name">Empty for sections and for the first symbol, which is none.</param>
/// <param name="Type">What it stands for.</param>
/// <param name="IsWeak">It may stay undefined.</param>
/// <param name="IsLocal">Others cannot refer to it.</param>
/// <param name="IsUnique">The process has one of that name, whichever library comes first.</param>
/// <param name="Section">The section it is in; 0 when the library does not define it.</param>
/// <param name="Address">Where it is, as linked; for a thread-local one, within the block.</param>
/// <param name="Size">In bytes; 0 when unknown.</param>
internal sealed record ElfSymbol(
    string Name,
    ElfSymbolType Type,
    bool IsWeak,
    bool IsLocal,
    bool IsUnique,
    ushort Section,
    ulong Address,
    ulong Size)
{
    private const ulong EntrySize = 24;
    private const byte BindingWeak = 2;
    private const byte BindingUnique = 10;

    /// <summary>The library refers to it and does not define it.</summary>
    internal bool IsImport => Section == 0 && Name.Length > 0;

    internal bool IsFunction => Type is ElfSymbolType.Function or ElfSymbolType.IndirectFunction;

    /// <summary>The dynamic symbols, at least all that a relocation refers to.</summary>
    internal static IReadOnlyList<ElfSymbol> ReadDynamic(ElfImage image)
    {
        if (image.Dynamic[ElfTag.Symbols] is not { } table)
        {
            if (image.Relocations.All(relocation => relocation.Symbol == 0)) return [];
            throw image.Bytes.Damaged(0, "relocations refer to symbols, and there is no table of these");
        }

        if (image.Dynamic[ElfTag.SymbolSize] is { } size && size != EntrySize)
            throw image.Bytes.Damaged(0, $"dynamic symbols of {size} bytes");
        ulong count = ElfSymbolCount.Of(image);
        ulong offset = image.OffsetOf(table, count * EntrySize);
        return Read(image.Bytes, offset, count, name => image.Dynamic.StringAt(image, name));
    }

    /// <summary>
    /// The symbols for debuggers (.symtab), which <c>strip</c> takes away; then there is none.
    /// </summary>
    internal static IReadOnlyList<ElfSymbol> ReadStatic(ElfImage image, IReadOnlyList<ElfSection> sections)
    {
        foreach (ElfSection section in sections)
        {
            if (section.Type != ElfSection.SymbolTable) continue;
            if (section.Link >= sections.Count)
                throw image.Bytes.Damaged(section.Offset, $"the names of {section.Name} are in no section");
            ElfSection names = sections[(int)section.Link];
            return Read(image.Bytes, section.Offset, section.Size / EntrySize, NameAt);

            string NameAt(ulong name) => name < names.Size
                ? image.Bytes.Name(names.Offset + name)
                : throw image.Bytes.Damaged(
                    names.Offset, $"a name at {name} of {names.Size} bytes is referred to");
        }

        return [];
    }

    private static ElfSymbol[] Read(ElfBytes bytes, ulong offset, ulong count, Func<ulong, string> nameAt)
    {
        bytes.Take(offset, count * EntrySize);
        ElfSymbol[] symbols = new ElfSymbol[count];
        for (ulong index = 0; index < count; index++)
        {
            ulong at = offset + index * EntrySize;
            uint name = bytes.U32(at);
            byte info = bytes.U8(at + 4);
            symbols[index] = new ElfSymbol(
                name == 0 ? "" : nameAt(name),
                (ElfSymbolType)(info & 15),
                info >> 4 == BindingWeak,
                info >> 4 == 0,
                info >> 4 == BindingUnique,
                bytes.U16(at + 6),
                bytes.U64(at + 8),
                bytes.U64(at + 16));
        }

        return symbols;
    }
}
