namespace Snapshot.NativeThreads;

/// <summary>The rules about what a native module needs of other libraries.</summary>
internal static class ImportRules
{
    /// <summary>
    /// Libraries of which some functions are allowed: <see cref="NativeImports"/> says which.
    /// </summary>
    private static readonly string[] s_knownLibraries =
    [
        "libsnapshot_threads.so", "libc.so.6", "libm.so.6", "libmvec.so.1", "ld-linux-x86-64.so.2",
        "libpthread.so.0",
        "libdl.so.2", "librt.so.1", "libgfortran.so.5", "libquadmath.so.0",
    ];

    /// <summary>Of snapshot_module.h: calls a function that may wait in the kernel.</summary>
    private const string BlockedCall = "sn_blocked_call";

    /// <summary>Libraries that must be linked statically, or not at all.</summary>
    private static readonly Dictionary<string, string> s_refusedLibraries = new()
    {
        ["libstdc++.so.6"] = "Link it with -static-libstdc++.",
        ["libgcc_s.so.1"] = "Link it with -static-libgcc.",
        ["libgomp.so.1"] = "Compile without -fopenmp: its threads are unknown to Snapshot.",
    };

    /// <param name="module">The library.</param>
    /// <param name="symbols">All its symbols; without them it is told what it imports, but not why.</param>
    /// <param name="others">The native modules that it may import from.</param>
    internal static IEnumerable<NativeModuleViolation> ViolationsOf(
        ElfImage module, IReadOnlyList<ElfSymbol> symbols, IReadOnlyCollection<ElfImage> others)
    {
        HashSet<string> provided = [.. others.SelectMany(other => other.Symbols)
            .Where(symbol => symbol is { IsImport: false, IsLocal: false })
            .Select(symbol => symbol.Name)];
        HashSet<string> known = [.. s_knownLibraries, .. others.Select(NameOf)];
        return
        [
            .. OfLibraries(module, known),
            .. ByCause(
                [.. OfSymbols(module, provided)], ImportCause.In(symbols, ProgramEntry.IsIn(module))),
        ];
    }

    /// <summary>What has a cause that is known is told by that, once.</summary>
    private static IEnumerable<NativeModuleViolation> ByCause(
        List<NativeModuleViolation> violations, IEnumerable<ImportCause> causes)
    {
        List<NativeModuleViolation> told = [];
        foreach (ImportCause cause in causes)
        {
            if (violations.RemoveAll(violation => cause.Brings.Contains(violation.Subject)) > 0)
                told.Add(new(NativeModuleRule.Import, cause.Name, cause.Problem, cause.Remedy));
        }

        return [.. told, .. violations];
    }

    private static IEnumerable<NativeModuleViolation> OfLibraries(ElfImage module, HashSet<string> known)
    {
        foreach (string library in module.Dynamic.Needed)
        {
            if (known.Contains(library)) continue;
            yield return new(
                NativeModuleRule.NeededLibrary,
                library,
                $"needs {library}, whose code and data are not captured",
                s_refusedLibraries.GetValueOrDefault(library)
                    ?? "Link it statically, or build it as a native module and load that first.");
        }
    }

    private static IEnumerable<NativeModuleViolation> OfSymbols(ElfImage module, HashSet<string> provided)
    {
        bool hasBlockedCalls = module.Symbols.Any(symbol => symbol.IsImport && symbol.Name == BlockedCall);
        bool isProgram = ProgramEntry.IsIn(module);
        foreach (ElfSymbol symbol in module.Symbols)
        {
            if (!symbol.IsImport || provided.Contains(symbol.Name)) continue;
            bool isVariable = symbol.Type is ElfSymbolType.Variable or ElfSymbolType.ThreadLocal;
            if (isVariable && !NativeImports.IsListed(symbol.Name)) yield return Variable(symbol.Name);
            else if (NativeImports.RefusalOf(symbol.Name, hasBlockedCalls, isProgram) is { } refusal)
            {
                string[] parts = refusal.Split("; ", 2);
                yield return new(
                    NativeModuleRule.Import,
                    symbol.Name,
                    $"imports '{symbol.Name}': {parts[0]}",
                    parts.Length == 2
                        ? char.ToUpperInvariant(parts[1][0]) + parts[1][1..] + "." : "Do without it.");
            }
            else if (isVariable)
            {
                yield return Variable(symbol.Name);
            }
        }
    }

    private static NativeModuleViolation Variable(string name) => new(
        NativeModuleRule.Import,
        name,
        $"imports the variable '{name}', which is elsewhere in the next process and not captured",
        "Define it in the module.");

    private static string NameOf(ElfImage library) => library.Dynamic.Name ?? Path.GetFileName(library.Path);
}
