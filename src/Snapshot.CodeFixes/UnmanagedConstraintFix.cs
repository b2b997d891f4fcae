using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.CodeFixes;

/// <summary>
/// SNAP1101: constrains the type parameter that is the type of a parameter to unmanaged types.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class UnmanagedConstraintFix() : FiberFix("SNAP1101")
{
    private protected override CodeAction? Find(FixSite site)
    {
        if (site.Place.FirstAncestorOrSelf<ParameterSyntax>() is not { } parameter) return null;
        if (site.Model.GetDeclaredSymbol(parameter) is not { Type: ITypeParameterSymbol type }) return null;
        if (type.HasReferenceTypeConstraint) return null;
        if (type.ConstraintTypes.Any(constraint => constraint.TypeKind != TypeKind.Interface)) return null;
        if (DeclarationOf(type) is not { } declaration || declaration.SyntaxTree != site.Root.SyntaxTree)
            return null;
        string title = $"Constrain '{type.Name}' to unmanaged types";
        return site.Replace(title, declaration, Constrain(declaration, type.Name));
    }

    /// <summary>What declares a type parameter, where it alone decides on the constraints.</summary>
    private static SyntaxNode? DeclarationOf(ITypeParameterSymbol type)
    {
        if (type.DeclaringSyntaxReferences.Length != 1) return null;
        if (type.DeclaringMethod is { } method &&
            (method.IsOverride || method.ExplicitInterfaceImplementations.Any()))
            return null;
        SyntaxNode? declaration = type.DeclaringSyntaxReferences[0].GetSyntax().Parent?.Parent;
        return declaration is MethodDeclarationSyntax or LocalFunctionStatementSyntax or TypeDeclarationSyntax
            ? declaration
            : null;
    }

    private static SyntaxNode Constrain(SyntaxNode declaration, string name)
    {
        TypeConstraintSyntax unmanaged =
            SyntaxFactory.TypeConstraint(SyntaxFactory.IdentifierName("unmanaged"));
        TypeParameterConstraintClauseSyntax? existing = declaration.ChildNodes()
            .OfType<TypeParameterConstraintClauseSyntax>()
            .FirstOrDefault(clause => clause.Name.Identifier.Text == name);
        if (existing is not null) return declaration.ReplaceNode(existing, Constrain(existing, unmanaged));

        SyntaxToken before = AfterConstraints(declaration).GetPreviousToken();
        SyntaxToken colon =
            SyntaxFactory.Token([SyntaxFactory.Space], SyntaxKind.ColonToken, [SyntaxFactory.Space]);
        TypeParameterConstraintClauseSyntax added = SyntaxFactory.TypeParameterConstraintClause(
            SyntaxFactory.Token([], SyntaxKind.WhereKeyword, [SyntaxFactory.Space]),
            SyntaxFactory.IdentifierName(name),
            colon,
            SyntaxFactory.SingletonSeparatedList<TypeParameterConstraintSyntax>(unmanaged))
            .WithTrailingTrivia(before.TrailingTrivia);
        return declaration.ReplaceToken(before, before.WithTrailingTrivia(SyntaxFactory.Space)) switch
        {
            MethodDeclarationSyntax method => method.AddConstraintClauses(added),
            LocalFunctionStatementSyntax local => local.AddConstraintClauses(added),
            TypeDeclarationSyntax type => type.AddConstraintClauses(added),
            SyntaxNode other => other,
        };
    }

    /// <summary>
    /// The new constraint comes first; it implies struct, new() and notnull, and excludes that they are
    /// named.
    /// </summary>
    private static TypeParameterConstraintClauseSyntax Constrain(
        TypeParameterConstraintClauseSyntax clause, TypeConstraintSyntax unmanaged)
    {
        IEnumerable<TypeParameterConstraintSyntax> kept = clause.Constraints.Where(constraint => constraint
            is TypeConstraintSyntax { Type: not IdentifierNameSyntax { Identifier.Text: "notnull" } });
        SyntaxToken comma = SyntaxFactory.Token([], SyntaxKind.CommaToken, [SyntaxFactory.Space]);
        TypeParameterConstraintSyntax[] constraints =
            [unmanaged, .. kept.Select(constraint => constraint.WithoutTrivia())];
        return clause
            .WithConstraints(SyntaxFactory.SeparatedList(
                constraints, Enumerable.Repeat(comma, constraints.Length - 1)))
            .WithTrailingTrivia(clause.GetTrailingTrivia());
    }

    private static SyntaxToken AfterConstraints(SyntaxNode declaration) => declaration switch
    {
        MethodDeclarationSyntax method =>
            method.Body?.OpenBraceToken ?? method.ExpressionBody?.ArrowToken ?? method.SemicolonToken,
        LocalFunctionStatementSyntax local =>
            local.Body?.OpenBraceToken ?? local.ExpressionBody?.ArrowToken ?? local.SemicolonToken,
        TypeDeclarationSyntax type when type.OpenBraceToken != default => type.OpenBraceToken,
        TypeDeclarationSyntax type => type.SemicolonToken,
        _ => declaration.GetLastToken(),
    };
}
