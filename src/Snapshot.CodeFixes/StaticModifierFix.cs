using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.CodeFixes;

/// <summary>SNAP1102: makes a fiber method static that captures nothing.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class StaticModifierFix() : FiberFix("SNAP1102")
{
    private protected override CodeAction? Find(FixSite site)
    {
        if (!site.Diagnostic.Properties.ContainsKey("MayBeStatic")) return null;
        const string Title = "Make static";
        return site.Place switch
        {
            MethodDeclarationSyntax method => OfMethod(site, Title, method),
            LocalFunctionStatementSyntax local => site.Replace(
                Title,
                local,
                local.WithModifiers(
                    Insert(local.Modifiers, SyntaxKind.StaticKeyword, local.ReturnType.GetFirstToken()))),
            AnonymousFunctionExpressionSyntax lambda => site.Replace(
                Title,
                lambda,
                lambda.WithModifiers(
                    Insert(lambda.Modifiers, SyntaxKind.StaticKeyword, lambda.GetFirstToken()))),
            _ => null,
        };
    }

    /// <summary>
    /// A method of an instance may be called through one; where that is <c>this</c> the call is changed too.
    /// </summary>
    private static CodeAction? OfMethod(FixSite site, string title, MethodDeclarationSyntax method)
    {
        if (site.Model.GetDeclaredSymbol(method) is not { } symbol) return null;
        MemberAccessExpressionSyntax[] accesses =
            [.. site.Root.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
                .Where(access => access.Name.Identifier.Text == symbol.Name)
                .Where(access => SymbolEqualityComparer.Default.Equals(
                    site.Model.GetSymbolInfo(access).Symbol?.OriginalDefinition, symbol))];
        if (accesses.Any(access => access.Expression is not ThisExpressionSyntax)) return null;
        SyntaxNode root = site.Root.ReplaceNodes(
            [.. accesses, (SyntaxNode)method], (old, changed) => changed switch
        {
            MethodDeclarationSyntax declared => declared.WithModifiers(
                Insert(declared.Modifiers, SyntaxKind.StaticKeyword, declared.ReturnType.GetFirstToken())),
            MemberAccessExpressionSyntax access => access.Name.WithTriviaFrom(access),
            _ => changed,
        });
        Document document = site.Document.WithSyntaxRoot(root);
        return CodeAction.Create(title, _ => Task.FromResult(document), site.Diagnostic.Id);
    }
}
