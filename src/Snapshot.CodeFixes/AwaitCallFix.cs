using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.CodeFixes;

/// <summary>
/// SNAP1106: awaits the call where it is made; a local that held the task holds the result.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class AwaitCallFix() : FiberFix("SNAP1106")
{
    private const string AddAwait = "Add 'await'";

    private protected override CodeAction? Find(FixSite site)
    {
        if (site.Place is not InvocationExpressionSyntax call) return null;
        SyntaxNode? function = FunctionAround(call);
        if (SymbolOf(function, site.Model) is not { } symbol) return null;
        if (!IsFiber(symbol)) return null;

        return call.Parent switch
        {
            AssignmentExpressionSyntax { Left: IdentifierNameSyntax { Identifier.Text: "_" } } discard
                when discard.Parent is ExpressionStatementSyntax =>
                site.Replace(AddAwait, discard, Await(call).WithTriviaFrom(discard)),
            EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax variable }
                when IsTaskVariable(variable, site.Model) => Stored(site, call, variable),
            MemberAccessExpressionSyntax or ConditionalAccessExpressionSyntax or
                ElementAccessExpressionSyntax =>
                site.Replace(
                    AddAwait, call, SyntaxFactory.ParenthesizedExpression(Await(call.WithoutTrivia()))
                    .WithTriviaFrom(call)),
            _ => site.Replace(AddAwait, call, Await(call)),
        };
    }

    private static AwaitExpressionSyntax Await(ExpressionSyntax call) => SyntaxFactory.AwaitExpression(
        SyntaxFactory.Token(call.GetLeadingTrivia(), SyntaxKind.AwaitKeyword, [SyntaxFactory.Space]),
        call.WithoutLeadingTrivia());

    private static bool IsTaskVariable(VariableDeclaratorSyntax variable, SemanticModel model) =>
        model.GetDeclaredSymbol(variable) is ILocalSymbol local && IsFiberTask(local.Type);

    /// <summary>
    /// A local that holds the task: it is to hold the result, and what awaited it is to use it. Only where it
    /// is awaited and nothing else. A task without a result leaves no local.
    /// </summary>
    private static CodeAction? Stored(
        FixSite site, InvocationExpressionSyntax call, VariableDeclaratorSyntax variable)
    {
        if (variable.Parent is not VariableDeclarationSyntax { Variables.Count: 1 } declaration) return null;
        if (declaration.Parent is not LocalDeclarationStatementSyntax statement) return null;
        if (site.Model.GetDeclaredSymbol(variable) is not ILocalSymbol { Type: INamedTypeSymbol task } local)
            return null;
        SyntaxNode function = FunctionAround(call)!;
        IdentifierNameSyntax[] uses = [.. function.DescendantNodes().OfType<IdentifierNameSyntax>()
            .Where(name => name.Identifier.Text == local.Name)
            .Where(
                name => SymbolEqualityComparer.Default.Equals(site.Model.GetSymbolInfo(name).Symbol, local))];
        if (!uses.All(use => use.Parent is AwaitExpressionSyntax && FunctionAround(use) == function))
            return null;
        SyntaxNode? changed = task.Arity == 1
            ? WithResult(function, call, declaration, uses)
            : WithoutResult(function, call, statement, uses);
        return changed is null ? null : site.Replace(AddAwait, function, changed);
    }

    private static SyntaxNode WithResult(
        SyntaxNode function,
        InvocationExpressionSyntax call,
        VariableDeclarationSyntax declaration,
        IdentifierNameSyntax[] uses)
    {
        List<SyntaxNode> changes = [call, .. uses.Select(use => use.Parent!)];
        if (declaration.Type is GenericNameSyntax) changes.Add(declaration.Type);
        return function.ReplaceNodes(changes, (old, _) => old switch
        {
            InvocationExpressionSyntax => Await(call),
            GenericNameSyntax type => type.TypeArgumentList.Arguments[0].WithTriviaFrom(type),
            AwaitExpressionSyntax awaited => awaited.Expression.WithTriviaFrom(awaited),
            _ => old,
        });
    }

    private static SyntaxNode? WithoutResult(
        SyntaxNode function,
        InvocationExpressionSyntax call,
        LocalDeclarationStatementSyntax statement,
        IdentifierNameSyntax[] uses)
    {
        SyntaxNode?[] awaits = [.. uses.Select(use => use.Parent!.Parent)];
        if (!awaits.All(used => used is ExpressionStatementSyntax { Parent: BlockSyntax })) return null;
        SyntaxNode tracked = function.TrackNodes([statement, .. awaits.OfType<SyntaxNode>()]);
        ExpressionStatementSyntax awaited = SyntaxFactory.ExpressionStatement(Await(call.WithoutTrivia()))
            .WithTriviaFrom(statement);
        tracked = tracked.ReplaceNode(tracked.GetCurrentNode(statement)!, awaited);
        return tracked.RemoveNodes(
            awaits.Select(used => tracked.GetCurrentNode(used!)!), SyntaxRemoveOptions.KeepNoTrivia);
    }
}
