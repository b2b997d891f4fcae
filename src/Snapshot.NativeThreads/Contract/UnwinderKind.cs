namespace Snapshot.NativeThreads;

/// <summary>Whose code walks the stack when a module throws; the numbers are those of its note.</summary>
internal enum UnwinderKind : uint
{
    /// <summary>Nobody's: nothing in it throws.</summary>
    None = 0,

    /// <summary>That of libgcc, which is linked into the module.</summary>
    Own = 1,
}
