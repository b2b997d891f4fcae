using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1201. A participant is bound to the thread that attached, and what follows an await may run on another
/// one.
/// </summary>
/// <remarks>
/// Looks at a local from its declaration to its scope's end, or to its Dispose in the same block.
/// </remarks>
internal static class ParticipantAwaitRule
{
    internal static readonly DiagnosticDescriptor Descriptor = new(
        "SNAP1201",
        "Await while a participant is attached",
        "After this await the thread may be another than the one that attached '{0}', which alone may use it",
        "Snapshot.Use",
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "A participant belongs to the thread that attached it. The rest of an async method " +
            "runs on "
            +
            "whatever thread completes the await; there the members of the participant throw, and the " +
            "session waits "
            +
            "for a thread that does not come. Attach in a method that is not async, on a thread of its " +
            "own, and wait "
            + "for checkpoints with WaitCommittedInThread.");

    internal static void Check(OperationAnalysisContext context, UseTypes types)
    {
        IVariableDeclaratorOperation declarator = (IVariableDeclaratorOperation)context.Operation;
        if (!types.IsParticipant(declarator.Symbol.Type)) return;
        if (declarator.Symbol.ContainingSymbol is not IMethodSymbol { IsAsync: true } method) return;

        // A fiber goes on on the thread of its worker.
        if (types.Fibers?.IsFiber(method) == true) return;
        if (ScopeOf(declarator) is not { } scope) return;
        int start = declarator.Syntax.Span.End;
        int end = DisposalOf(declarator.Symbol, scope) ?? scope.Syntax.Span.End;
        foreach (IOperation inner in FiberMethod.Own(scope))
        {
            if (inner.Syntax.SpanStart >= start && inner.Syntax.SpanStart < end &&
                PlaceOf(inner) is { } place)
                context.ReportDiagnostic(Diagnostic.Create(Descriptor, place, declarator.Symbol.Name));
        }
    }

    private static Location? PlaceOf(IOperation operation) => operation switch
    {
        IAwaitOperation => operation.Syntax.GetFirstToken().GetLocation(),
        IForEachLoopOperation { IsAsynchronous: true } => operation.Syntax.GetFirstToken().GetLocation(),
        IUsingOperation { IsAsynchronous: true } => operation.Syntax.GetFirstToken().GetLocation(),
        IUsingDeclarationOperation { IsAsynchronous: true } => operation.Syntax.GetFirstToken().GetLocation(),
        _ => null,
    };

    /// <summary>The using statement that has it, or else the block.</summary>
    private static IOperation? ScopeOf(IOperation declarator)
    {
        for (IOperation? around = declarator.Parent; around is not null; around = around.Parent)
        {
            if (around is IUsingOperation or IBlockOperation or ISwitchCaseOperation) return around;
        }

        return null;
    }

    private static int? DisposalOf(ILocalSymbol participant, IOperation scope) => FiberMethod.Own(scope)
        .OfType<IInvocationOperation>()
        .Where(call => call.TargetMethod.Name == "Dispose"
            && call.Instance is ILocalReferenceOperation { Local: var local }
            && SymbolEqualityComparer.Default.Equals(local, participant))
        .Select(call => (int?)call.Syntax.SpanStart).LastOrDefault();
}
