using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1105. An await where an exception may be on its way: the compiler puts the exception into a field of
/// the state machine meanwhile.
/// </summary>
internal sealed class KeptExceptionRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1105",
        "An await of a fiber method keeps an exception",
        "The frame of a fiber cannot keep an exception across an await: {0}",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "During an await in a finally block, at the end of 'await using' and of an 'await " +
            "foreach' that "
            +
            "disposes, and in a catch clause that uses its exception, the exception is kept in the " +
            "method's frame, "
            + "which lives in an arena. Note in the catch clause that it was entered and await after the try "
            + "statement.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        foreach (IOperation operation in fiber.Operations)
        {
            switch (operation)
            {
                case ITryOperation tried:
                    if (FirstAwait(tried.Finally) is { } last)
                        Report(last, "this one is in a finally block", report);
                    foreach (ICatchClauseOperation clause in tried.Catches)
                        Check(fiber, tried, clause, report);
                    break;
                case IUsingOperation { IsAsynchronous: true, Syntax: UsingStatementSyntax statement }:
                    Report(statement.AwaitKeyword, "'await using' disposes in a finally block", report);
                    break;
                case IUsingDeclarationOperation { IsAsynchronous: true } declared
                    when declared.Syntax is LocalDeclarationStatementSyntax statement:
                    Report(statement.AwaitKeyword, "'await using' disposes in a finally block", report);
                    break;
                case IForEachLoopOperation { IsAsynchronous: true, Syntax: CommonForEachStatementSyntax loop }
                    when operation.SemanticModel?.GetForEachStatementInfo(loop).DisposeMethod is not null:
                    Report(
                        loop.AwaitKeyword, "this loop disposes of its enumerator in a finally block", report);
                    break;
            }
        }
    }

    /// <summary>The exceptions that catch clauses of the method name.</summary>
    internal static IEnumerable<ISymbol> ExceptionsOf(FiberMethod fiber) =>
        fiber.Operations.OfType<ICatchClauseOperation>().SelectMany(ExceptionOf);

    private static IEnumerable<ISymbol> ExceptionOf(ICatchClauseOperation clause) =>
        clause.ExceptionDeclarationOrExpression is IVariableDeclaratorOperation declared
            ? [declared.Symbol] : [];

    private static void Check(
        FiberMethod fiber, ITryOperation tried, ICatchClauseOperation clause, Action<Diagnostic> report)
    {
        if (FirstAwait(clause.Handler) is not { } first || clause.Syntax is not CatchClauseSyntax syntax)
            return;
        ISymbol? exception = ExceptionOf(clause).FirstOrDefault();
        string? used = exception is not null && UsesException(clause, exception) ? $"'{exception.Name}'"
            : Rethrows(clause) ? "'throw;'"
            : null;
        if (used is null) return;
        bool merges = fiber.Survival.CatchesAfterAwait.Contains(syntax)
            && tried.SemanticModel?.AnalyzeControlFlow(tried.Body.Syntax) is { EndPointIsReachable: true };
        if (merges || IsUsedAfterAwait(fiber, exception, syntax))
            Report(first, $"this one is in a catch clause that uses its exception ({used})", report);
    }

    /// <summary>
    /// The compiler assigns the variable at the start of the clause, which is a use; with a filter it does so
    /// in the filter.
    /// </summary>
    private static bool UsesException(ICatchClauseOperation clause, ISymbol exception) =>
        clause.Filter is null
            || clause.Handler.Descendants().OfType<ILocalReferenceOperation>()
                .Any(reference => SymbolEqualityComparer.Default.Equals(reference.Local, exception));

    private static bool Rethrows(ICatchClauseOperation clause) => FiberMethod.Own(clause.Handler)
        .Any(operation => operation is IThrowOperation { Exception: null }
            && operation.Syntax.FirstAncestorOrSelf<CatchClauseSyntax>() == clause.Syntax);

    private static bool IsUsedAfterAwait(FiberMethod fiber, ISymbol? exception, CatchClauseSyntax clause) =>
        fiber.Survival.Survivors.Any(survivor => survivor.Slot switch
        {
            { Kind: SlotKind.Caught } =>
                survivor.Use.Syntax.FirstAncestorOrSelf<CatchClauseSyntax>() == clause,
            { Symbol: { } symbol } => SymbolEqualityComparer.Default.Equals(symbol, exception),
            _ => false,
        });

    private static SyntaxToken? FirstAwait(IOperation? block) => block is null ? null : FiberMethod.Own(block)
        .Select(AwaitKeyword).Where(keyword => keyword is not null).OrderBy(
            keyword => keyword!.Value.SpanStart)
        .FirstOrDefault();

    private static SyntaxToken? AwaitKeyword(IOperation operation) => operation switch
    {
        IAwaitOperation { Syntax: AwaitExpressionSyntax expression } => expression.AwaitKeyword,
        IUsingOperation { IsAsynchronous: true, Syntax: UsingStatementSyntax statement } =>
            statement.AwaitKeyword,
        IUsingDeclarationOperation { IsAsynchronous: true, Syntax: LocalDeclarationStatementSyntax local } =>
            local.AwaitKeyword,
        IForEachLoopOperation { IsAsynchronous: true, Syntax: CommonForEachStatementSyntax loop } =>
            loop.AwaitKeyword,
        _ => null,
    };

    private static void Report(SyntaxToken? keyword, string reason, Action<Diagnostic> report) =>
        report(Diagnostic.Create(s_descriptor, keyword?.GetLocation(), reason));
}
