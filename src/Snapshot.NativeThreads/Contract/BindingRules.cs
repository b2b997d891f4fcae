namespace Snapshot.NativeThreads;

/// <summary>
/// The rules about what names are bound to: the module's own to the module, and other libraries' functions
/// are called through the linkage table alone, never through an address that a register or a variable holds.
/// </summary>
internal static class BindingRules
{
    internal static IEnumerable<NativeModuleViolation> ViolationsOf(ElfImage module)
    {
        HashSet<(NativeModuleRule, string)> seen = [];
        foreach (ElfRelocation relocation in module.Relocations)
        {
            if (relocation.Symbol == 0) continue;
            ElfSymbol symbol = module.Symbols[(int)relocation.Symbol];
            if (ViolationOf(module, symbol, relocation.Kind) is not { } violation) continue;
            if (seen.Add((violation.Rule, violation.Subject))) yield return violation;
        }
    }

    private static NativeModuleViolation? ViolationOf(
        ElfImage module, ElfSymbol symbol, ElfRelocationKind kind)
    {
        if (!symbol.IsImport)
        {
            bool isBound = kind is ElfRelocationKind.Address or ElfRelocationKind.GlobalData
                or ElfRelocationKind.JumpSlot or ElfRelocationKind.ThreadPointerOffset;

            // A library that is symbolic is looked through before all others, except for what is unique in
            // the process.
            bool isSafe = symbol.IsLocal || (module.Dynamic.IsSymbolic && !symbol.IsUnique);
            if (!isBound || isSafe) return null;
            return new(
                NativeModuleRule.OwnSymbols,
                symbol.Name,
                $"looks for its own '{symbol.Name}' by name, and would take another library's of that name",
                "Link it with -Wl,-Bsymbolic; compile C++ with -fno-gnu-unique.");
        }

        // What nobody defines is null; that it may be so is what its users test. And what has no type is such
        // a name.
        bool isHeld = kind is ElfRelocationKind.Address or ElfRelocationKind.GlobalData
            && symbol is { IsFunction: true, IsWeak: false };
        if (!isHeld || NativeImports.RefusalOf(symbol.Name) is not null) return null;
        return new(
            NativeModuleRule.AddressOfImport,
            symbol.Name,
            $"takes the address of '{symbol.Name}', which is elsewhere in the next process, and which a " +
            "register or a variable would hold",
            "Call it by its name; where a pointer is needed, point to a function of the module that calls " +
            "it. Compile without -fno-plt.");
    }
}
