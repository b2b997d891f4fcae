namespace Snapshot.FiberCheck;

/// <summary>
/// For what the compiler keeps a value of its own. Its field names do not tell; the code around the field
/// does.
/// </summary>
internal enum TemporaryKind
{
    /// <summary>A value computed before an await in the same expression.</summary>
    Expression,

    /// <summary>What a foreach goes through.</summary>
    Foreach,

    /// <summary>What a using disposes of.</summary>
    Using,

    /// <summary>An exception that is thrown on after an await.</summary>
    Exception,
}
