using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace Snapshot.CodeFixes;

/// <summary>
/// A fix of one rule: it looks at the reported place, and offers nothing where it could not be right.
/// </summary>
public abstract class FiberFix : CodeFixProvider
{
    private protected FiberFix(string id) => FixableDiagnosticIds = [id];

    /// <inheritdoc/>
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; }

    /// <inheritdoc/>
    public sealed override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root =
            await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        SemanticModel? model =
            await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        if (root is null || model is null) return;
        foreach (Diagnostic diagnostic in context.Diagnostics)
        {
            SyntaxNode place = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
            if (Find(new FixSite(context.Document, root, model, place, diagnostic)) is { } action)
                context.RegisterCodeFix(action, diagnostic);
        }
    }

    /// <summary>The fix for what is at a place, or null.</summary>
    private protected abstract CodeAction? Find(FixSite site);

    /// <summary>Whether a function is a fiber's: async, with a task of the library.</summary>
    private protected static bool IsFiber(IMethodSymbol? function) =>
        function is { IsAsync: true } && IsFiberTask(function.ReturnType);

    private protected static bool IsFiberTask(ITypeSymbol? type) =>
        type is INamedTypeSymbol { Name: "FiberTask" } task &&
        task.ContainingNamespace.ToString() == "Snapshot.Fibers";

    /// <summary>The method, local function or lambda around a node.</summary>
    private protected static SyntaxNode? FunctionAround(
        SyntaxNode node) => node.Ancestors().FirstOrDefault(ancestor =>
        ancestor is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or
            AnonymousFunctionExpressionSyntax
            or AccessorDeclarationSyntax or BasePropertyDeclarationSyntax);

    private protected static IMethodSymbol? SymbolOf(
        SyntaxNode? function, SemanticModel model) => function switch
        {
            AnonymousFunctionExpressionSyntax lambda => model.GetSymbolInfo(lambda).Symbol as IMethodSymbol,
            BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax =>
                model.GetDeclaredSymbol(function) as IMethodSymbol,
            _ => null,
        };

    /// <summary>Nodes of a function, but not those of functions inside it.</summary>
    private protected static IEnumerable<SyntaxNode> Own(SyntaxNode node) => node.DescendantNodes(inner =>
        inner == node || inner is not (LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax));

    /// <summary>Puts a modifier before <c>async</c>, or last.</summary>
    private protected static SyntaxTokenList Insert(
        SyntaxTokenList modifiers, SyntaxKind modifier, SyntaxToken next)
    {
        int index = modifiers.IndexOf(SyntaxKind.AsyncKeyword);
        SyntaxToken before = index < 0 ? next : modifiers[index];
        SyntaxToken added = SyntaxFactory.Token(
            index > 0 || (index < 0 && modifiers.Count > 0) ? [] : before.LeadingTrivia,
            modifier,
            [SyntaxFactory.Space]);
        if (index < 0) return modifiers.Add(added);
        return modifiers.Replace(before, before.WithLeadingTrivia()).Insert(index, added);
    }
}

/// <summary>Where a fix is asked for.</summary>
internal readonly struct FixSite(
    Document document, SyntaxNode root, SemanticModel model, SyntaxNode place, Diagnostic diagnostic)
{
    internal Document Document => document;

    internal SyntaxNode Root => root;

    internal SemanticModel Model => model;

    /// <summary>What the diagnostic points at.</summary>
    internal SyntaxNode Place => place;

    internal Diagnostic Diagnostic => diagnostic;

    /// <summary>A fix that replaces one node.</summary>
    internal CodeAction Replace(string title, SyntaxNode old, SyntaxNode replacement)
    {
        Document changed = document.WithSyntaxRoot(root.ReplaceNode(old, replacement));
        return CodeAction.Create(title, _ => Task.FromResult(changed), diagnostic.Id);
    }
}
