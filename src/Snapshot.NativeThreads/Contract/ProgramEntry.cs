namespace Snapshot.NativeThreads;

/// <summary>
/// What <c>snapshot-cc --program</c> adds to a program: by its export a module is known to be one.
/// </summary>
internal static class ProgramEntry
{
    /// <summary>The function that the program's thread runs.</summary>
    internal const string Symbol = "snapshot_main";

    internal static bool IsIn(ElfImage module) =>
        module.Symbols.Any(symbol => !symbol.IsImport && symbol.Name == Symbol);
}
