using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace Snapshot.CodeFixes;

/// <summary>
/// SNAP1104: loops over an index instead of an enumerator, where the collection is found again at every step
/// without being kept, and is the same each time: an ArenaArray, an array in a static readonly field, a
/// constant string.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class IndexedLoopFix() : FiberFix("SNAP1104")
{
    private static readonly string[] s_names = ["i", "j", "k", "index", "position", "at"];

    private protected override CodeAction? Find(FixSite site)
    {
        ForEachStatementSyntax? loop = site.Place.FirstAncestorOrSelf<ForEachStatementSyntax>();
        if (loop is null || loop.AwaitKeyword != default || loop.Type is RefTypeSyntax) return null;
        if (Collection(loop, site.Model) is not var (collection, indexType)) return null;
        Conversion conversion = site.Model.GetForEachStatementInfo(loop).ElementConversion;
        if (!conversion.IsIdentity && !conversion.IsImplicit) return null;
        SyntaxNode function = FunctionAround(loop) ?? site.Root;
        string? index =
            s_names.FirstOrDefault(name => function.DescendantTokens().All(token => token.Text != name));
        if (index is null) return null;
        return site.Replace("Loop over an index", loop, Loop(loop, collection, indexType, index));
    }

    /// <summary>What to index, and the type of the index; null where the meaning might change.</summary>
    private static (ExpressionSyntax Collection, string IndexType)? Collection(
        ForEachStatementSyntax loop, SemanticModel model)
    {
        ExpressionSyntax expression = loop.Expression;
        if (expression is InvocationExpressionSyntax
            {
                ArgumentList.Arguments.Count: 0,
                Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "AsSpan" } access,
            }
            && model.GetTypeInfo(access.Expression).Type is INamedTypeSymbol { Name: "ArenaArray", Arity: 1 })
        {
            return IsUnchangedIn(loop, access.Expression, model) ? (access.Expression, "long") : null;
        }

        ISymbol? symbol = model.GetSymbolInfo(expression).Symbol;
        bool isNamed = expression is IdentifierNameSyntax or MemberAccessExpressionSyntax;
        if (isNamed && model.GetTypeInfo(expression).Type is IArrayTypeSymbol { Rank: 1 })
            return symbol is IFieldSymbol { IsStatic: true, IsReadOnly: true } ? (expression, "int") : null;
        return isNamed && model.GetConstantValue(expression) is { Value: string }
            ? (expression, "int") : null;
    }

    private static bool IsUnchangedIn(ForEachStatementSyntax loop, ExpressionSyntax name, SemanticModel model)
    {
        ISymbol? symbol = model.GetSymbolInfo(name).Symbol;
        if (symbol is not (ILocalSymbol or IParameterSymbol)) return false;
        DataFlowAnalysis? flow = model.AnalyzeDataFlow(loop.Statement);
        return flow is { Succeeded: true }
            && !flow.WrittenInside.Contains(symbol, SymbolEqualityComparer.Default)
            && !flow.Captured.Contains(symbol, SymbolEqualityComparer.Default)
            && !flow.UnsafeAddressTaken.Contains(symbol, SymbolEqualityComparer.Default);
    }

    private static ForStatementSyntax Loop(
        ForEachStatementSyntax loop, ExpressionSyntax collection, string indexType, string index)
    {
        string source = collection.WithoutTrivia().ToString();
        ForStatementSyntax counted = (ForStatementSyntax)SyntaxFactory.ParseStatement(
            $"for ({indexType} {index} = 0; {index} < {source}.Length; {index}++)");
        StatementSyntax element = SyntaxFactory.ParseStatement(
            $"{loop.Type.WithoutTrivia()} {loop.Identifier.Text} = {source}[{index}];")
            .WithTrailingTrivia(SyntaxFactory.ElasticMarker);
        BlockSyntax body = loop.Statement is BlockSyntax block
            ? block.WithStatements(block.Statements.Insert(0, element))
            : SyntaxFactory.Block(element, loop.Statement.WithLeadingTrivia(SyntaxFactory.ElasticMarker));
        return counted
            .WithCloseParenToken(
                counted.CloseParenToken.WithTrailingTrivia(loop.CloseParenToken.TrailingTrivia))
            .WithStatement(body)
            .WithLeadingTrivia(loop.GetLeadingTrivia())
            .WithTrailingTrivia(loop.GetTrailingTrivia())
            .WithAdditionalAnnotations(Formatter.Annotation);
    }
}
