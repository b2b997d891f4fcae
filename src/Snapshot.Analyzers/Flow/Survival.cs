using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace Snapshot.Analyzers.Flow;

/// <summary>A value that is needed after an await that follows its computation.</summary>
internal readonly struct Survivor(Slot slot, IOperation use)
{
    internal Slot Slot => slot;

    /// <summary>What needs it.</summary>
    internal IOperation Use => use;
}

/// <summary>What of a frame has to be kept across an await.</summary>
internal sealed class Survival
{
    private Survival(
        IReadOnlyList<Survivor> survivors, IReadOnlyList<IOperation> spilled,
        ISet<CatchClauseSyntax> afterAwait)
    {
        Survivors = survivors;
        Spilled = spilled;
        CatchesAfterAwait = afterAwait;
    }

    /// <summary>Every use of a value after an await, in the order of the source.</summary>
    internal IReadOnlyList<Survivor> Survivors { get; }

    /// <summary>Operands that hold references and wait for an await in the same operation.</summary>
    internal IReadOnlyList<IOperation> Spilled { get; }

    /// <summary>
    /// Catch clauses whose try block can come to its end after an await in it: were there an await in the
    /// clause, its exception would be kept in the frame, also when it is used before that await only.
    /// </summary>
    internal ISet<CatchClauseSyntax> CatchesAfterAwait { get; }

    /// <summary>Follows the values of a method through its graph.</summary>
    internal static Survival Of(FiberMethod fiber, ControlFlowGraph? graph)
    {
        if (graph is null) return new Survival([], [], new HashSet<CatchClauseSyntax>());
        SurvivalAnalysis analysis = new(fiber, graph);
        analysis.Run();
        return new Survival(
            [.. analysis.Survivors.OrderBy(survivor => survivor.Use.Syntax.SpanStart)],
            [.. analysis.Spilled.Distinct().OrderBy(operand => operand.Syntax.SpanStart)],
            analysis.CatchesAfterAwait);
    }
}
