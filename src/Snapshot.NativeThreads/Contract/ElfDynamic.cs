namespace Snapshot.NativeThreads;

/// <summary>
/// The tags of a dynamic section that are read here; the numbers are those of the ELF specification.
/// </summary>
internal enum ElfTag : ulong
{
    End = 0,
    Needed = 1,
    JumpSlotsSize = 2,
    LinkageTable = 3,
    Hash = 4,
    Strings = 5,
    Symbols = 6,
    Relocations = 7,
    RelocationsSize = 8,
    RelocationSize = 9,
    StringsSize = 10,
    SymbolSize = 11,
    Name = 14,
    SearchPath = 15,
    Symbolic = 16,
    RelocationsWithoutAddend = 17,
    JumpSlotsKind = 20,
    TextRelocations = 22,
    JumpSlots = 23,
    BindNow = 24,
    RunPath = 29,
    Flags = 30,
    RelativeSize = 35,
    Relative = 36,
    GnuHash = 0x6ffffef5,
    Flags1 = 0x6ffffffb,
}

/// <summary>The dynamic section: what the dynamic linker is told about a library.</summary>
internal sealed class ElfDynamic
{
    private const ulong EntrySize = 16;
    private const ulong FlagSymbolic = 2;
    private const ulong FlagTextRelocations = 4;
    private const ulong FlagBindNow = 8;
    private const ulong FlagStaticThreadLocal = 16;
    private const ulong Flag1Now = 1;
    private const ulong Flag1Program = 0x08000000;

    private readonly Dictionary<ElfTag, ulong> _values;

    private ElfDynamic(
        Dictionary<ElfTag, ulong> values, string? name, IReadOnlyList<string> needed,
        IReadOnlyList<string> searchPaths)
    {
        _values = values;
        Name = name;
        Needed = needed;
        SearchPaths = searchPaths;
    }

    /// <summary>The name others refer to it by (DT_SONAME), or null.</summary>
    internal string? Name { get; }

    /// <summary>The libraries it is linked against (DT_NEEDED), in their order.</summary>
    internal IReadOnlyList<string> Needed { get; }

    /// <summary>The folders that it names for the search of these (DT_RUNPATH, or else DT_RPATH).</summary>
    internal IReadOnlyList<string> SearchPaths { get; }

    internal bool BindsNow =>
        Has(ElfTag.BindNow) || Flag(ElfTag.Flags, FlagBindNow) || Flag(ElfTag.Flags1, Flag1Now);

    internal bool IsSymbolic => Has(ElfTag.Symbolic) || Flag(ElfTag.Flags, FlagSymbolic);

    internal bool HasTextRelocations =>
        Has(ElfTag.TextRelocations) || Flag(ElfTag.Flags, FlagTextRelocations);

    internal bool HasStaticThreadLocal => Flag(ElfTag.Flags, FlagStaticThreadLocal);

    /// <summary>It is a position-independent program and not a library.</summary>
    internal bool IsProgram => Flag(ElfTag.Flags1, Flag1Program);

    internal bool Has(ElfTag tag) => _values.ContainsKey(tag);

    /// <summary>The value of a tag, or null without it.</summary>
    internal ulong? this[ElfTag tag] => _values.TryGetValue(tag, out ulong value) ? value : null;

    internal static ElfDynamic Read(ElfImage image)
    {
        if (image.Find(ElfSegmentType.Dynamic) is not { } segment)
            throw image.Bytes.Foreign("it has no dynamic section");
        Dictionary<ElfTag, ulong> values = [];
        List<ulong> needed = [];
        for (ulong at = 0; at + EntrySize <= segment.FileSize; at += EntrySize)
        {
            ElfTag tag = (ElfTag)image.Bytes.U64(segment.Offset + at);
            ulong value = image.Bytes.U64(segment.Offset + at + 8);
            if (tag == ElfTag.End) break;
            if (tag == ElfTag.Needed) needed.Add(value);
            else values[tag] = value;
        }

        string NameAt(ulong offset) => StringAt(image, values, offset);
        string? name = values.TryGetValue(ElfTag.Name, out ulong own) ? NameAt(own) : null;
        bool hasPath = values.TryGetValue(ElfTag.RunPath, out ulong path)
            || values.TryGetValue(ElfTag.SearchPath, out path);
        string[] paths = hasPath ? NameAt(path).Split(':', StringSplitOptions.RemoveEmptyEntries) : [];
        return new ElfDynamic(values, name, [.. needed.Select(NameAt)], paths);
    }

    /// <summary>A name of the dynamic string table.</summary>
    internal string StringAt(ElfImage image, ulong offset) => StringAt(image, _values, offset);

    private static string StringAt(ElfImage image, Dictionary<ElfTag, ulong> values, ulong offset)
    {
        ulong size = values.GetValueOrDefault(ElfTag.StringsSize);
        if (!values.TryGetValue(ElfTag.Strings, out ulong strings) || offset >= size)
            throw image.Bytes.Damaged(
                0, $"a name at {offset} of a string table of {size} bytes is referred to");
        return image.Bytes.Name(image.OffsetOf(strings, size) + offset);
    }

    private bool Flag(ElfTag tag, ulong flag) => (_values.GetValueOrDefault(tag) & flag) != 0;
}
