using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace Snapshot.CodeFixes;

/// <summary>
/// SNAP1106: a method that returns the task of a call becomes async and awaits every task that it returned.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class AsyncForwarderFix() : FiberFix("SNAP1106")
{
    private protected override CodeAction? Find(FixSite site)
    {
        SyntaxNode? function = FunctionAround(site.Place);
        if (function is not (MethodDeclarationSyntax or LocalFunctionStatementSyntax)) return null;
        if (SymbolOf(function, site.Model) is not { IsAsync: false } symbol) return null;
        if (!IsFiberTask(symbol.ReturnType)) return null;
        if (site.Place.Parent is not (ReturnStatementSyntax or ArrowExpressionClauseSyntax)) return null;
        if (!MayBeAsync(function, symbol)) return null;
        bool hasResult = ((INamedTypeSymbol)symbol.ReturnType).Arity == 1;
        SyntaxNode changed = WithAsync(WithAwaits(function, hasResult));
        string title = $"Make '{symbol.Name}' async and await what it returns";
        return site.Replace(title, function, changed.WithAdditionalAnnotations(Formatter.Annotation));
    }

    /// <summary>
    /// No pointers or references as parameters, and not unsafe: the language refuses await there.
    /// </summary>
    private static bool MayBeAsync(SyntaxNode function, IMethodSymbol symbol) =>
        symbol.Parameters.All(parameter => parameter.RefKind == RefKind.None
            &&
            parameter.Type is
            {
                IsRefLikeType: false, TypeKind: not (TypeKind.Pointer or
                TypeKind.FunctionPointer)
            })
        && !function.AncestorsAndSelf().Any(around => around switch
        {
            MemberDeclarationSyntax member => member.Modifiers.Any(SyntaxKind.UnsafeKeyword),
            LocalFunctionStatementSyntax local => local.Modifiers.Any(SyntaxKind.UnsafeKeyword),
            _ => false,
        })
        && !Own(function).Any(
            node => node is UnsafeStatementSyntax or FixedStatementSyntax or LockStatementSyntax)
        && symbol.PartialDefinitionPart is null && symbol.PartialImplementationPart is null;

    private static SyntaxNode WithAsync(SyntaxNode function) => function switch
    {
        MethodDeclarationSyntax method => method.Modifiers.Count > 0
            ? method.AddModifiers(Async([]))
            : method.WithReturnType(method.ReturnType.WithoutLeadingTrivia())
                .AddModifiers(Async(method.GetLeadingTrivia())),
        LocalFunctionStatementSyntax local => local.Modifiers.Count > 0
            ? local.AddModifiers(Async([]))
            : local.WithReturnType(local.ReturnType.WithoutLeadingTrivia())
                .AddModifiers(Async(local.GetLeadingTrivia())),
        _ => function,
    };

    private static SyntaxToken Async(SyntaxTriviaList leading) =>
        SyntaxFactory.Token(leading, SyntaxKind.AsyncKeyword, [SyntaxFactory.Space]);

    private static SyntaxNode WithAwaits(SyntaxNode function, bool hasResult)
    {
        ReturnStatementSyntax[] returns = [.. Own(function).OfType<ReturnStatementSyntax>()];
        ArrowExpressionClauseSyntax? arrow =
            function.ChildNodes().OfType<ArrowExpressionClauseSyntax>().FirstOrDefault();
        if (arrow is not null) return function.ReplaceNode(arrow.Expression, Await(arrow.Expression));
        return function.ReplaceNodes(returns, (old, _) => old.Expression switch
        {
            null => old,
            LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.DefaultLiteralExpression) =>
                hasResult ? old : old.WithExpression(null),
            { } task when hasResult => old.WithExpression(Await(task)),
            { } task => WithoutResult(old, task),
        });
    }

    private static StatementSyntax WithoutResult(ReturnStatementSyntax old, ExpressionSyntax task)
    {
        StatementSyntax awaited = SyntaxFactory.ExpressionStatement(Await(task.WithoutTrivia()));
        bool isLast = old.Parent is BlockSyntax
        {
            Parent: MethodDeclarationSyntax or
            LocalFunctionStatementSyntax
        } body
            && body.Statements.Last() == old;
        return isLast
            ? awaited.WithTriviaFrom(old)
            : SyntaxFactory.Block(awaited, SyntaxFactory.ReturnStatement()).WithTriviaFrom(old);
    }

    private static AwaitExpressionSyntax Await(ExpressionSyntax task)
    {
        bool binds = task is ConditionalExpressionSyntax or BinaryExpressionSyntax or SwitchExpressionSyntax;
        ExpressionSyntax operand = task.WithoutTrivia();
        if (binds) operand = SyntaxFactory.ParenthesizedExpression(operand);
        return SyntaxFactory.AwaitExpression(
            SyntaxFactory.Token(task.GetLeadingTrivia(), SyntaxKind.AwaitKeyword, [SyntaxFactory.Space]),
            operand)
            .WithTrailingTrivia(task.GetTrailingTrivia());
    }
}
