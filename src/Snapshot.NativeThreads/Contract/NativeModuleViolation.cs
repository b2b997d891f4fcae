namespace Snapshot.NativeThreads;

/// <summary>The rules of the contract of native modules.</summary>
internal enum NativeModuleRule
{
    /// <summary>It is a library and not a program.</summary>
    Library,

    /// <summary>It is linked at one of the bases.</summary>
    Base,

    /// <summary>It is not longer than the room at a base.</summary>
    Length,

    /// <summary>All it imports is found when it is loaded.</summary>
    ImmediateBinding,

    /// <summary>What the dynamic linker has written is read-only from then on.</summary>
    ReadOnlyAfterRelocation,

    /// <summary>Addresses of other libraries are in that part alone.</summary>
    LinkageTable,

    /// <summary>Code is the same in every process.</summary>
    TextRelocations,

    /// <summary>It does not ask for a stack that can be executed.</summary>
    Stack,

    /// <summary>No memory of it is writable and executable.</summary>
    WritableCode,

    /// <summary>Thread-local variables are at a fixed distance from the thread pointer.</summary>
    ThreadLocal,

    /// <summary>Each function can be left by a stack walk.</summary>
    UnwindTables,

    /// <summary>It has an id of what was linked.</summary>
    BuildId,

    /// <summary>Where it can throw, the unwinder can be told from other code.</summary>
    StaticSymbols,

    /// <summary>What it defines itself is bound to that.</summary>
    OwnSymbols,

    /// <summary>It is linked against libraries that are known.</summary>
    NeededLibrary,

    /// <summary>It imports what a stopped thread can do without.</summary>
    Import,

    /// <summary>It does not hold addresses of other libraries' functions.</summary>
    AddressOfImport,

    /// <summary>What its note says of the check where it was built is what it is now.</summary>
    Note,
}

/// <summary>One place where a library breaks the contract of native modules.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Subject">The symbol, section, segment, flag or library.</param>
/// <param name="Problem">What is wrong and why that matters, naming the subject; the module is the sentence's
/// subject.
/// </param>
/// <param name="Remedy">What to do; a sentence.</param>
internal sealed record NativeModuleViolation(
    NativeModuleRule Rule, string Subject, string Problem, string Remedy)
{
    public override string ToString() => $"It {Problem}. {Remedy}";
}
