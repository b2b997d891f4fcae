namespace Snapshot.NativeThreads;

/// <summary>
/// The rules about stack walks: each function can be left, and the module's own unwinder is known.
/// </summary>
internal static class UnwindRules
{
    private const int NamedMax = 5;

    /// <summary>
    /// How the functions of libgcc's unwinder, and of those that it calls in languages, begin.
    /// </summary>
    private static readonly string[] s_unwinderNames = ["_Unwind_", "uw_", "__gxx_personality_",
        "__gcc_personality_"];

    /// <summary>What the unwinder imports, and hardly anything else does.</summary>
    private static readonly string[] s_unwinderImports = ["_dl_find_object", "dl_iterate_phdr"];

    internal static IEnumerable<NativeModuleViolation> ViolationsOf(
        ElfImage module, IReadOnlyList<ElfSymbol> symbols)
    {
        if (UnwindTable.FunctionsOf(module) is not { } functions)
        {
            yield return new(
                NativeModuleRule.UnwindTables,
                "PT_GNU_EH_FRAME",
                "has no table of its functions for stack walks (PT_GNU_EH_FRAME)",
                "Link it with -Wl,--eh-frame-hdr.");
        }
        else if (Without(functions, [.. module.Symbols, .. symbols]) is { Length: > 0 } missing)
        {
            string names = string.Join(", ", missing.Take(NamedMax).Select(name => $"'{name}'"));
            string more = missing.Length > NamedMax ? $" and {missing.Length - NamedMax} more" : "";
            yield return new(
                NativeModuleRule.UnwindTables,
                missing[0],
                $"has functions that a stack walk cannot leave: {names}{more}",
                "Compile with -fasynchronous-unwind-tables; functions in assembler need .cfi_startproc.");
        }

        if (UnwinderImportOf(module) is not { } import || symbols.Count > 0) yield break;
        yield return new(
            NativeModuleRule.StaticSymbols,
            ".symtab",
            $"has an unwinder (it imports '{import}') and no symbols (.symtab) that say where that is: " +
            "threads must not be disturbed in it",
            "Do not strip it; strip -g, which takes only what is for debuggers, is allowed.");
    }

    /// <summary>Whether the module can throw, as its imports say, which <c>strip</c> leaves.</summary>
    internal static UnwinderKind KindOf(ElfImage module) =>
        UnwinderImportOf(module) is null ? UnwinderKind.None : UnwinderKind.Own;

    /// <summary>
    /// Where in the module threads are in the middle of unwinding their stack, and must not be disturbed.
    /// </summary>
    internal static IReadOnlyList<AddressRange> UnwinderOf(ElfImage module)
    {
        return [.. ElfSymbol.ReadStatic(module, ElfSection.ReadAll(module))
            .Where(symbol => symbol is { IsFunction: true, IsImport: false, Size: > 0 })
            .Where(
                symbol => s_unwinderNames.Any(name => symbol.Name.StartsWith(name, StringComparison.Ordinal)))
            .Select(symbol => new AddressRange(symbol.Address, symbol.Size))
            .Distinct().OrderBy(range => range.Start)];
    }

    private static string? UnwinderImportOf(ElfImage module) =>
        module.Symbols.FirstOrDefault(
            symbol => symbol.IsImport && s_unwinderImports.Contains(symbol.Name))?.Name;

    /// <summary>
    /// The functions without an entry. Those of unknown size are the compiler's for start and end, which no
    /// thread runs.
    /// </summary>
    private static string[] Without(HashSet<ulong> functions, IEnumerable<ElfSymbol> symbols)
    {
        return [.. symbols
            .Where(symbol => symbol is { IsFunction: true, IsImport: false, Size: > 0 })
            .Where(symbol => !functions.Contains(symbol.Address))
            .Select(symbol => symbol.Name).Distinct()];
    }
}
