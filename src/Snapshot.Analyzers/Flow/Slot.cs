using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace Snapshot.Analyzers.Flow;

/// <summary>What kind of place keeps a value.</summary>
internal enum SlotKind
{
    /// <summary>A local variable or a parameter on the frame.</summary>
    Variable,

    /// <summary>A variable in a closure object, which the frame would have to refer to.</summary>
    Closure,

    /// <summary>An intermediate value of an expression, as the control flow graph names it.</summary>
    Temporary,

    /// <summary>
    /// The fixed buffer in a local struct; the compiler does not count its uses as uses of the local.
    /// </summary>
    FixedBuffer,

    /// <summary>The exception a catch clause is handling, which <c>throw;</c> needs.</summary>
    Caught,

    /// <summary>
    /// Where the compiler puts the exception when a catch clause has an await. It is read after the try
    /// statement, also when nothing was thrown.
    /// </summary>
    Pending,
}

/// <summary>A place in a frame that a value may be kept in across an await.</summary>
internal sealed class Slot(SlotKind kind)
{
    internal SlotKind Kind => kind;

    /// <summary>The variable, or the local with the buffer.</summary>
    internal ISymbol? Symbol { get; set; }

    internal ITypeSymbol? Type { get; set; }

    /// <summary>What a temporary was computed from.</summary>
    internal IOperation? Value { get; set; }

    /// <summary>The region of a catch clause, of a try block, or of the life of a closure object.</summary>
    internal ControlFlowRegion? Region { get; set; }
}
