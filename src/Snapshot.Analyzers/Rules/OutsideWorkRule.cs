using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1109. Work that a fiber starts and that no image holds. Of a method that a fiber calls only the text
/// is looked at, and not that of the methods it calls in turn.
/// </summary>
internal sealed class OutsideWorkRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1109",
        "A fiber starts work that is not a fiber's",
        "{0}: this work is in no checkpoint, is not waited for, and is gone after a restart",
        Category,
        DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        description: "What runs on the thread pool, and the rest of an async void method, is not captured " +
            "with the "
            + "fiber that began it. Start a fiber instead.");

    private static readonly string[] s_starters =
        ["Task.Run", "Task.Factory.StartNew", "ThreadPool.QueueUserWorkItem",
            "ThreadPool.UnsafeQueueUserWorkItem"];

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        foreach (IOperation operation in fiber.Operations)
        {
            if (operation is IInvocationOperation call && WhatStarts(call.TargetMethod) is { } reason)
                report(Diagnostic.Create(s_descriptor, call.Syntax.GetLocation(), reason));
            foreach (IOperation child in operation.ChildOperations)
            {
                if (child is not IAnonymousFunctionOperation { Symbol: var lambda }) continue;
                if (lambda is not { IsAsync: true, ReturnsVoid: true }) continue;
                Location place = FiberMethod.LocationOf(lambda);
                report(Diagnostic.Create(s_descriptor, place, "The lambda is async void"));
            }
        }
    }

    private static string? WhatStarts(IMethodSymbol called)
    {
        if (called is { IsAsync: true, ReturnsVoid: true }) return $"'{called.Name}' is async void";
        if (IsStarter(called))
            return $"'{called.ContainingType.Name}.{called.Name}' queues to the thread pool";
        SyntaxNode? declaration =
            called.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
        InvocationExpressionSyntax? inner = declaration?.DescendantNodes()
            .OfType<InvocationExpressionSyntax>()
            .FirstOrDefault(call => s_starters.Contains(call.Expression.ToString()));
        return inner is null ? null : $"'{called.Name}' calls '{inner.Expression}'";
    }

    private static bool IsStarter(IMethodSymbol called) =>
        (called.ContainingType?.ToDisplayString(), called.Name) is
            ("System.Threading.Tasks.Task", "Run")
            or ("System.Threading.Tasks.TaskFactory", "StartNew")
            or ("System.Threading.ThreadPool", "QueueUserWorkItem" or "UnsafeQueueUserWorkItem");
}
