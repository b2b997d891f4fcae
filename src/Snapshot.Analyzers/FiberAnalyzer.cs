using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Snapshot.Analyzers.Rules;

namespace Snapshot.Analyzers;

/// <summary>
/// Says while a fiber method is being typed what the check after compilation would refuse, and a few things
/// that it cannot see: SNAP1101 to SNAP1110.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class FiberAnalyzer : DiagnosticAnalyzer
{
    private static readonly FiberRule[] s_rules =
    [
        new ManagedParameterRule(),
        new CaptureRule(),
        new KeptReferenceRule(),
        new EnumeratorRule(),
        new KeptExceptionRule(),
        new FixedBufferRule(),
        new ProcessValueRule(),
        new OutsideWorkRule(),
        new UnboundedLoopRule(),
        new AwaitedTargetRule(),
    ];

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [.. s_rules.Select(rule => rule.Descriptor), UnawaitedTaskRule.Descriptor];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(start =>
        {
            if (FiberTypes.Find(start.Compilation) is not { } types) return;
            start.RegisterOperationBlockAction(block => CheckMethods(block, types));
            start.RegisterOperationAction(
                call => UnawaitedTaskRule.Check(call, types), OperationKind.Invocation);
        });
    }

    private static void CheckMethods(OperationBlockAnalysisContext context, FiberTypes types)
    {
        foreach (IOperation root in context.OperationBlocks)
        {
            IEnumerable<FiberMethod> fibers =
                FiberMethod.In(root, context.OwningSymbol, context.GetControlFlowGraph, types);
            foreach (FiberMethod fiber in fibers)
            {
                foreach (FiberRule rule in s_rules) rule.Check(fiber, context.ReportDiagnostic);
            }
        }
    }
}
