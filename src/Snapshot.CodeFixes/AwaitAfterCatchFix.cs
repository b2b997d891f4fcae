using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace Snapshot.CodeFixes;

/// <summary>
/// SNAP1105: a catch clause notes that it was entered; what begins with its first await moves behind the try
/// statement. Offered only where the exception is not needed from there on, and where nothing else runs or is
/// known in between.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class AwaitAfterCatchFix() : FiberFix("SNAP1105")
{
    private static readonly string[] s_names = ["caught", "failed", "wasCaught"];

    private protected override CodeAction? Find(FixSite site)
    {
        CatchClauseSyntax? clause = site.Place.FirstAncestorOrSelf<CatchClauseSyntax>();
        if (clause?.Parent is not TryStatementSyntax tried) return null;
        if (tried.Finally is not null || tried.Parent is not BlockSyntax around) return null;
        int first =
            clause.Block.Statements.IndexOf(statement => Own(statement).Prepend(statement).Any(Awaits));
        if (first < 0) return null;
        StatementSyntax[] moved = [.. clause.Block.Statements.Skip(first)];
        if (!MayMove(clause, moved, site.Model) || !FlowAllows(tried, site.Model)) return null;
        SyntaxNode function = FunctionAround(tried) ?? site.Root;
        string? flag =
            s_names.FirstOrDefault(name => function.DescendantTokens().All(token => token.Text != name));
        if (flag is null) return null;

        BlockSyntax changed = around.WithStatements(around.Statements.ReplaceRange(
            tried, Rewrite(tried, clause, first, moved, flag)));
        return site.Replace(
            "Await after the try statement", around, changed.WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static bool Awaits(SyntaxNode node) => node switch
    {
        AwaitExpressionSyntax => true,
        UsingStatementSyntax used => used.AwaitKeyword != default,
        LocalDeclarationStatementSyntax declared => declared.UsingKeyword != default,
        CommonForEachStatementSyntax loop => loop.AwaitKeyword != default,
        _ => false,
    };

    /// <summary>
    /// What moves may need neither the exception nor a local of what stays, and no <c>using</c> may span
    /// both.
    /// </summary>
    private static bool MayMove(CatchClauseSyntax clause, StatementSyntax[] moved, SemanticModel model)
    {
        foreach (SyntaxNode node in moved.SelectMany(statement => statement.DescendantNodesAndSelf()))
        {
            if (node is ThrowStatementSyntax { Expression: null } rethrow
                && rethrow.FirstAncestorOrSelf<CatchClauseSyntax>() == clause)
                return false;
            if (node is LabeledStatementSyntax or GotoStatementSyntax or LocalFunctionStatementSyntax)
                return false;
            if (node is not IdentifierNameSyntax name || model.GetSymbolInfo(name).Symbol is not { } symbol)
                continue;
            if (symbol is not (ILocalSymbol or IMethodSymbol { MethodKind: MethodKind.LocalFunction }))
                continue;
            SyntaxNode? declared = symbol.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
            if (declared is not null && clause.Span.Contains(declared.Span)
                && !moved.Any(statement => statement.Span.Contains(declared.Span)))
                return false;
        }

        return !clause.Block.Statements.OfType<LocalDeclarationStatementSyntax>()
            .Any(declaration => declaration.UsingKeyword != default);
    }

    /// <summary>
    /// With a flag in between the compiler no longer knows that a variable is assigned, or that the end is
    /// not reached.
    /// </summary>
    private static bool FlowAllows(TryStatementSyntax tried, SemanticModel model)
    {
        if (model.AnalyzeDataFlow(tried) is not { Succeeded: true } data) return false;
        if (model.AnalyzeControlFlow(tried) is not { Succeeded: true, EndPointIsReachable: true })
            return false;
        return data.DefinitelyAssignedOnExit.All(variable =>
            data.DefinitelyAssignedOnEntry.Contains(variable, SymbolEqualityComparer.Default)
            || data.VariablesDeclared.Contains(variable, SymbolEqualityComparer.Default));
    }

    private static StatementSyntax[] Rewrite(
        TryStatementSyntax tried, CatchClauseSyntax clause, int first, StatementSyntax[] moved, string flag)
    {
        StatementSyntax declaration = SyntaxFactory.ParseStatement($"bool {flag} = false;")
            .WithLeadingTrivia(tried.GetLeadingTrivia()).WithTrailingTrivia(SyntaxFactory.ElasticMarker);
        StatementSyntax noted = SyntaxFactory.ParseStatement($"{flag} = true;")
            .WithTrailingTrivia(SyntaxFactory.ElasticMarker);
        TryStatementSyntax shorter = tried
            .ReplaceNode(
                clause.Block, clause.Block.WithStatements([.. clause.Block.Statements.Take(first), noted]))
            .WithLeadingTrivia(SyntaxFactory.ElasticMarker);
        StatementSyntax then = SyntaxFactory.IfStatement(
            SyntaxFactory.IdentifierName(flag), SyntaxFactory.Block(moved));
        return [declaration, shorter, then.WithTrailingTrivia(tried.GetTrailingTrivia())];
    }
}
