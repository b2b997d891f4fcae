using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.Tests.Structure;

/// <summary>Finds the uses of one room by another that the table of rooms does not allow.</summary>
internal static class RoomArrows
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; " +
        "global using System.IO; global using System.Linq;" +
        "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>
    /// The forbidden arrows in sources given as (path relative to src/Snapshot, text), one line each.
    /// </summary>
    internal static IReadOnlyList<string> Forbidden(IEnumerable<(string Path, string Text)> sources)
    {
        CSharpParseOptions options = new(LanguageVersion.Preview);
        SyntaxTree[] trees =
            [.. sources.Select(source => CSharpSyntaxTree.ParseText(source.Text, options, source.Path))];
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Snapshot",
            [.. trees, CSharpSyntaxTree.ParseText(ImplicitUsings, options, "GlobalUsings.cs")],
            References(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));

        return [.. trees.SelectMany(tree => ForbiddenIn(tree, compilation.GetSemanticModel(tree))).Distinct()];
    }

    private static IEnumerable<string> ForbiddenIn(SyntaxTree tree, SemanticModel model)
    {
        string from = Room.Of(tree.FilePath);
        SyntaxNode root = tree.GetRoot();
        foreach (SimpleNameSyntax name in root.DescendantNodes(descendIntoTrivia: false).OfType<SimpleNameSyntax>())
        {
            SymbolInfo info = model.GetSymbolInfo(name);
            ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
            INamedTypeSymbol? type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
            if (symbol is null || type is null) continue;

            string? member = symbol is INamedTypeSymbol ? null : symbol.Name;
            foreach (SyntaxReference declared in type.OriginalDefinition.DeclaringSyntaxReferences)
            {
                string to = Room.Of(declared.SyntaxTree.FilePath);
                if (Room.Allows(from, to, type.Name, member)) continue;
                int line = name.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
                yield return $"{tree.FilePath}({line}) uses {to}/{type.Name}{(member is null ? "" : "." + member)}";
            }
        }
    }

    /// <summary>
    /// The framework and the packages, as this process has them; the library itself is read from its sources.
    /// </summary>
    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
        .Where(path => !Path.GetFileName(path).StartsWith("Snapshot", StringComparison.Ordinal))
        .Select(path => MetadataReference.CreateFromFile(path));
}
