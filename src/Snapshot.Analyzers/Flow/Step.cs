using Microsoft.CodeAnalysis;

namespace Snapshot.Analyzers.Flow;

internal enum StepKind
{
    /// <summary>The frame may be captured here: nothing but what is kept in it remains.</summary>
    Await,

    /// <summary>The slot gets a new value.</summary>
    Assign,

    /// <summary>
    /// The slot gets the default value, which is also what it would have when it were forgotten.
    /// </summary>
    Clear,

    /// <summary>The value of the slot is needed.</summary>
    Use,

    /// <summary>A value computed before an await is needed after it, within one expression.</summary>
    Spill,
}

/// <summary>What matters of the evaluation of an operation, in the order in which it happens.</summary>
internal readonly struct Step(StepKind kind, IOperation operation, Slot? slot = null)
{
    internal StepKind Kind => kind;

    internal IOperation Operation => operation;

    internal Slot? Slot => slot;
}
