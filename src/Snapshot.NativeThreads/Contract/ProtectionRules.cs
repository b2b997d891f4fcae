namespace Snapshot.NativeThreads;

/// <summary>
/// The rules about what may be written: code never, addresses of other libraries only by the dynamic linker,
/// in memory that is not captured.
/// </summary>
internal static class ProtectionRules
{
    private const ulong WordSize = 8;

    internal static IEnumerable<NativeModuleViolation> ViolationsOf(
        ElfImage module, IReadOnlyList<ElfSection> sections)
    {
        return [.. OfRelocation(module, sections), .. OfCode(module, sections), .. OfStack(module)];
    }

    private static IEnumerable<NativeModuleViolation> OfRelocation(
        ElfImage module, IReadOnlyList<ElfSection> sections)
    {
        if (!module.Dynamic.BindsNow)
        {
            yield return new(
                NativeModuleRule.ImmediateBinding,
                "DF_BIND_NOW",
                "is bound lazily (DF_BIND_NOW is not set): the dynamic linker would run, and write " +
                "addresses, in the middle of native code",
                "Link it with -Wl,-z,now.");
        }

        if (module.Find(ElfSegmentType.ReadOnlyAfterRelocation) is not { } relro)
        {
            yield return new(
                NativeModuleRule.ReadOnlyAfterRelocation,
                "PT_GNU_RELRO",
                "has no part that is read-only after relocation (PT_GNU_RELRO), so that addresses of other " +
                "libraries would be captured with its data",
                "Link it with -Wl,-z,relro.");
            yield break;
        }

        AddressRange safe = relro.Memory.ProtectedPages();
        foreach (ElfRelocation relocation in module.Relocations)
        {
            bool isAddressOfOther = relocation.Kind is ElfRelocationKind.JumpSlot or
                ElfRelocationKind.GlobalData
                || (relocation.Kind == ElfRelocationKind.Address &&
                    SymbolOf(module, relocation) is { IsImport: true });
            if (!isAddressOfOther || safe.Contains(relocation.Address, WordSize)) continue;
            string section = ElfSection.NameAt(sections, relocation.Address);
            string symbol = SymbolOf(module, relocation)?.Name ?? $"0x{relocation.Addend:x}";
            yield return new(
                NativeModuleRule.LinkageTable,
                symbol,
                $"keeps the address of '{symbol}' in {section}, which is writable and would be captured",
                "Link it with -Wl,-z,now,-z,relro, and make variables that are initialised with addresses " +
                "of other libraries const.");
        }

        if (module.Dynamic[ElfTag.LinkageTable] is { } table && !safe.Contains(table, WordSize)
            && IsWritable(module, table))
        {
            string section = ElfSection.NameAt(sections, table);
            yield return new(
                NativeModuleRule.LinkageTable,
                section,
                $"has its linkage table {section} (DT_PLTGOT) in writable memory",
                "Link it with -Wl,-z,now,-z,relro.");
        }
    }

    private static IEnumerable<NativeModuleViolation> OfCode(
        ElfImage module, IReadOnlyList<ElfSection> sections)
    {
        foreach (ElfRelocation relocation in module.Relocations)
        {
            if (relocation.Kind == ElfRelocationKind.None || IsWritable(module, relocation.Address)) continue;
            string section = ElfSection.NameAt(sections, relocation.Address);
            yield return Text(section, $"has a relocation at 0x{relocation.Address:x}, in {section}");
            yield break;
        }

        if (module.Dynamic.HasTextRelocations)
            yield return Text("DF_TEXTREL", "says that it has relocations in code (DF_TEXTREL)");

        foreach (ElfSegment segment in module.Loaded)
        {
            if (!segment.IsWritable || !segment.Access.HasFlag(ElfAccess.Execute)) continue;
            yield return new(
                NativeModuleRule.WritableCode,
                segment.Memory.ToString(),
                $"has memory that is writable and executable ({segment.Memory})",
                "Link it without -Wl,-N and without sections that are both.");
        }
    }

    private static IEnumerable<NativeModuleViolation> OfStack(ElfImage module)
    {
        if (module.Find(ElfSegmentType.Stack) is { } stack && !stack.Access.HasFlag(ElfAccess.Execute))
            yield break;
        yield return new(
            NativeModuleRule.Stack,
            "PT_GNU_STACK",
            "asks for a stack that can be executed (PT_GNU_STACK): a nested function or an assembler file " +
            "without .note.GNU-stack is in it",
            "Link it with -Wl,-z,noexecstack when no code is executed on the stack.");
    }

    private static NativeModuleViolation Text(string subject, string problem) => new(
        NativeModuleRule.TextRelocations,
        subject,
        $"{problem}, which is not writable: code would differ between processes",
        "Compile everything with -fPIC, and link with -Wl,-z,text to see what is not.");

    private static ElfSymbol? SymbolOf(ElfImage module, ElfRelocation relocation) =>
        relocation.Symbol == 0 ? null : module.Symbols[(int)relocation.Symbol];

    private static bool IsWritable(ElfImage module, ulong address) =>
        module.Loaded.Any(segment => segment.IsWritable && segment.Memory.Contains(address, WordSize));
}
