using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.Tests.Structure;

/// <summary>A use of a type of the library, or of a member of one, in a source of the library.</summary>
/// <param name="File">The source that uses it, relative to src/Snapshot.</param>
/// <param name="Line">Where.</param>
/// <param name="Type">The used type.</param>
/// <param name="Member">The used member, or null where only the type is named.</param>
/// <param name="Declared">
/// The source that declares the member, else one that declares the type; a use of a partial type is one of
/// each.
/// </param>
internal sealed record LibraryUse(string File, int Line, string Type, string? Member, string Declared)
{
    /// <summary>Whether the type is named only to reach a member of it, which is a use of its own.</summary>
    internal bool IsQualifier { get; init; }
}

/// <summary>
/// Which source of the library uses which other, also where the used type hides behind <c>var</c>.
/// </summary>
internal static class LibraryUses
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; " +
        "global using System.IO; global using System.Linq;" +
        "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>The uses in sources given as (path relative to src/Snapshot, text).</summary>
    internal static IEnumerable<LibraryUse> In(IEnumerable<(string Path, string Text)> sources)
    {
        CSharpParseOptions options = new(LanguageVersion.Preview);
        SyntaxTree[] trees =
            [.. sources.Select(source => CSharpSyntaxTree.ParseText(source.Text, options, source.Path))];
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Snapshot",
            [.. trees, CSharpSyntaxTree.ParseText(ImplicitUsings, options, "GlobalUsings.cs")],
            References(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        return trees.SelectMany(tree => In(tree, compilation.GetSemanticModel(tree)));
    }

    private static IEnumerable<LibraryUse> In(SyntaxTree tree, SemanticModel model)
    {
        SyntaxNode root = tree.GetRoot();
        foreach (SyntaxNode name in root.DescendantNodes(descendIntoTrivia: false))
        {
            if (name is not (SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax)) continue;
            SymbolInfo info = model.GetSymbolInfo(name);
            ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
            INamedTypeSymbol? type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
            if (symbol is null || type is null) continue;

            string? member = symbol is INamedTypeSymbol || name is not SimpleNameSyntax ? null : symbol.Name;
            foreach (SyntaxReference declared in Declarations(member is null ? type : symbol, type))
            {
                int line = name.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
                yield return new LibraryUse(
                    tree.FilePath, line, type.Name, member, declared.SyntaxTree.FilePath)
                {
                    IsQualifier =
                        name.Parent is MemberAccessExpressionSyntax access && access.Expression == name,
                };
            }
        }
    }

    /// <summary>Where a symbol is declared; what the compiler adds is declared where its type is.</summary>
    private static ImmutableArray<SyntaxReference> Declarations(ISymbol symbol, INamedTypeSymbol type)
    {
        ImmutableArray<SyntaxReference> own = symbol.OriginalDefinition.DeclaringSyntaxReferences;
        return own.IsEmpty ? type.OriginalDefinition.DeclaringSyntaxReferences : own;
    }

    /// <summary>
    /// The framework and the packages, as this process has them; the library itself is read from its sources.
    /// </summary>
    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
        .Where(path => !Path.GetFileName(path).StartsWith("Snapshot", StringComparison.Ordinal))
        .Select(path => MetadataReference.CreateFromFile(path));
}
