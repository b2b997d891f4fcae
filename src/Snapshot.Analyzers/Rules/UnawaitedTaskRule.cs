using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1106. A call of a fiber method must be awaited where it is made: its frame is linked to that of its
/// caller. This holds in all code, not only in fiber methods, but for the library that declares fibers.
/// </summary>
/// <remarks>
/// What a lambda returns is the business of whoever calls the lambda: of the library, for a start lambda.
/// </remarks>
internal static class UnawaitedTaskRule
{
    /// <summary>
    /// A method that only forwards a call works: its caller awaits for it. It is told so, no more.
    /// </summary>
    private const string Returned = "returned";

    internal static readonly DiagnosticDescriptor Descriptor = new(
        "SNAP1106",
        "The call of a fiber method is not awaited",
        "The call of '{0}' is {1} instead of awaited: the frames of fibers nest as calls do",
        FiberRule.Category,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        description: "A FiberTask must be awaited where it comes from, once. It cannot be stored, passed " +
            "on or "
            +
            "discarded; what is to run beside its caller is started as a fiber. A method that is not async " +
            "and "
            + "returns it forwards the call: that works, and is reported as information.");

    internal static void Check(OperationAnalysisContext context, FiberTypes types)
    {
        IInvocationOperation call = (IInvocationOperation)context.Operation;
        if (!types.IsToBeAwaited(call.Type)) return;
        if (SymbolEqualityComparer.Default.Equals(context.Compilation.Assembly, types.Library)) return;
        if (WhatHappensTo(call, types) is not { } happening) return;
        string name = call.TargetMethod.MethodKind == MethodKind.DelegateInvoke &&
            call.Instance is { } instance
            ? instance.Syntax.ToString()
            : call.TargetMethod.Name;
        context.ReportDiagnostic(Diagnostic.Create(
            Descriptor,
            call.Syntax.GetLocation(),
            happening == Returned ? DiagnosticSeverity.Info : DiagnosticSeverity.Error,
            additionalLocations: null,
            properties: null,
            name,
            happening));
    }

    private static string? WhatHappensTo(IOperation value, FiberTypes types) => value.Parent switch
    {
        IAwaitOperation or INameOfOperation => null,
        IConversionOperation or IParenthesizedOperation => WhatHappensTo(value.Parent, types),
        ISwitchExpressionArmOperation or ISwitchExpressionOperation => WhatHappensTo(value.Parent, types),
        IConditionalOperation conditional when conditional.Condition != value =>
            WhatHappensTo(conditional, types),
        IExpressionStatementOperation or ISimpleAssignmentOperation { Target: IDiscardOperation } =>
            "discarded",
        IArgumentOperation { Parameter.ContainingAssembly: { } declaring }
            when SymbolEqualityComparer.Default.Equals(declaring, types.Library) => null,
        IArgumentOperation => "passed on",
        IReturnOperation returned => IsInLambda(returned) ? null : Returned,
        IMemberReferenceOperation or IInvocationOperation => "used",
        _ => "stored",
    };

    private static bool IsInLambda(IOperation operation)
    {
        IOperation? around = operation.Parent;
        while (around is not null && FiberMethod.FunctionIn(around) is null) around = around.Parent;
        return around is IAnonymousFunctionOperation;
    }
}
