using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>Applies a fix to the first place it is offered for.</summary>
internal static class FixRun
{
    /// <summary>The members after the fix; null where none is offered. What comes out must compile.</summary>
    internal static async Task<string?> Apply(CodeFixProvider fix, string members)
    {
        using AdhocWorkspace workspace = new();
        Document document = workspace.AddProject("Sample", LanguageNames.CSharp)
            .WithMetadataReferences(Analysis.References)
            .WithCompilationOptions(Analysis.Options)
            .AddDocument("Sample.cs", Analysis.Complete(members));
        Compilation before = (await document.Project.GetCompilationAsync())!;
        foreach (Diagnostic found in await Analysis.In(before))
        {
            if (!fix.FixableDiagnosticIds.Contains(found.Id)) continue;
            if (await Offered(fix, document, found) is not { } action) continue;
            ImmutableArray<CodeActionOperation> operations =
                await action.GetOperationsAsync(CancellationToken.None);
            Solution changed = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution;
            Document after = changed.GetDocument(document.Id)!;
            Assert.Empty(Analysis.ErrorsOf((CSharpCompilation)(await after.Project.GetCompilationAsync())!));
            string text = (await after.GetTextAsync()).ToString();
            int start = Analysis.Complete("").Length - "\n}\n".Length;
            return text[start..^"\n}\n".Length];
        }

        return null;
    }

    private static async Task<CodeAction?> Offered(CodeFixProvider fix, Document document, Diagnostic found)
    {
        List<CodeAction> actions = [];
        await fix.RegisterCodeFixesAsync(
            new CodeFixContext(document, found, (action, _) => actions.Add(action), CancellationToken.None));
        return actions.SingleOrDefault();
    }
}
