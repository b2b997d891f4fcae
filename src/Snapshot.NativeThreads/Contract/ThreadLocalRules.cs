namespace Snapshot.NativeThreads;

/// <summary>
/// The rule about thread-local variables: they are in the block that every thread has below its thread
/// pointer, where they are captured; not in one that the dynamic linker allocates when they are first used.
/// </summary>
internal static class ThreadLocalRules
{
    private const string Remedy = "Compile everything with -ftls-model=initial-exec.";

    internal static IEnumerable<NativeModuleViolation> ViolationsOf(
        ElfImage module, IReadOnlyList<ElfSymbol> symbols)
    {
        HashSet<string> named = [];
        foreach (ElfRelocation relocation in module.Relocations)
        {
            bool isDynamic = relocation.Kind is ElfRelocationKind.ThreadLocalModule
                or ElfRelocationKind.ThreadLocalOffset or ElfRelocationKind.ThreadLocalDescriptor;
            if (!isDynamic) continue;
            string name = NameOf(module, symbols, relocation);
            if (!named.Add(name)) continue;
            yield return new(
                NativeModuleRule.ThreadLocal,
                name,
                $"finds the thread-local variable '{name}' by asking the dynamic linker (" +
                $"{relocation.Kind switch
                {
                    ElfRelocationKind.ThreadLocalDescriptor => "R_X86_64_TLSDESC",
                    ElfRelocationKind.ThreadLocalModule => "R_X86_64_DTPMOD64",
                    _ => "R_X86_64_DTPOFF64",
                }}), which allocates it in libc's heap, where it is not captured",
                Remedy);
        }

        bool isUnplaced = module.Find(ElfSegmentType.ThreadLocal) is { Memory.Length: > 0 }
            && !module.Dynamic.HasStaticThreadLocal && named.Count == 0;
        if (!isUnplaced) yield break;
        string first =
            symbols.FirstOrDefault(symbol => symbol.Type == ElfSymbolType.ThreadLocal)?.Name ?? "PT_TLS";
        yield return new(
            NativeModuleRule.ThreadLocal,
            first,
            $"has thread-local variables ('{first}') that it does not use by their distance from the " +
            "thread pointer (DF_STATIC_TLS is not set), so that nothing says where they are",
            Remedy + " Take away variables that nothing uses.");
    }

    /// <summary>
    /// The variable's name. One that is not exported has no dynamic symbol: its offset in the block is the
    /// addend of a descriptor, or stands in the word behind the module's, and the symbols for debuggers tell
    /// whose it is.
    /// </summary>
    private static string NameOf(ElfImage module, IReadOnlyList<ElfSymbol> symbols, ElfRelocation relocation)
    {
        if (relocation.Symbol != 0) return module.Symbols[(int)relocation.Symbol].Name;
        ulong offset = relocation.Kind == ElfRelocationKind.ThreadLocalDescriptor
            ? relocation.Addend
            : module.Bytes.U64(module.OffsetOf(relocation.Address, 16) + 8);
        return symbols.FirstOrDefault(
            symbol => symbol.Type == ElfSymbolType.ThreadLocal && symbol.Address == offset)
            ?.Name ?? $"at offset {offset}";
    }
}
