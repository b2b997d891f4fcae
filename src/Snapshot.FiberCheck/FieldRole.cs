namespace Snapshot.FiberCheck;

/// <summary>What of a method a field of its state machine stands for.</summary>
internal enum FieldRole
{
    /// <summary>A local variable that is used after an await.</summary>
    Local,

    /// <summary>A parameter; if it is used at all, it is kept to the end.</summary>
    Parameter,

    /// <summary>The object or value whose method it is.</summary>
    This,

    /// <summary>
    /// The object with the variables that the fiber, a lambda or a local function, captured.
    /// </summary>
    Captured,

    /// <summary>
    /// The object with the fiber's own variables that a lambda or a local function in it captured.
    /// </summary>
    CapturedByLambda,

    /// <summary>A value that the compiler keeps for a statement or in the middle of an expression.</summary>
    Temporary,

    /// <summary>What is waited for.</summary>
    Awaiter,

    /// <summary>The method's builder.</summary>
    Builder,
}
