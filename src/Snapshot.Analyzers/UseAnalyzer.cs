using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Snapshot.Analyzers.Rules;

namespace Snapshot.Analyzers;

/// <summary>
/// Says in any code what compiles, mostly works, and goes wrong at a checkpoint or a restart: SNAP1201 to
/// SNAP1203.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UseAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [ParticipantAwaitRule.Descriptor, LockCopyRule.Descriptor, UnsafePointerRule.Descriptor];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(start =>
        {
            if (UseTypes.Find(start.Compilation) is not { } types) return;
            start.RegisterOperationAction(
                found => ParticipantAwaitRule.Check(found, types), OperationKind.VariableDeclarator);
            start.RegisterOperationAction(found => LockCopyRule.Check(found, types), LockCopyRule.Kinds);
            start.RegisterOperationAction(
                found => UnsafePointerRule.Check(found, types), OperationKind.Conversion,
                OperationKind.ObjectCreation);
        });
    }
}
