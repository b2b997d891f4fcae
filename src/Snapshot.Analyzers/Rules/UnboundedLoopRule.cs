using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1110, off by default. A loop in which a checkpoint has to wait, for nobody can say how long.
/// </summary>
internal sealed class UnboundedLoopRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1110",
        "A loop of a fiber method has no await",
        "This {0} loop in {1} has no await and no bound that can be seen: a checkpoint waits until it ends",
        Category,
        DiagnosticSeverity.Info,
        isEnabledByDefault: false,
        description: "A fiber stops at an await only. A long loop without one delays every checkpoint; await "
            + "Fiber.Safepoint() in it, or hand the work to an ordinary method and await between its parts.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        foreach (ILoopOperation loop in fiber.Operations.OfType<ILoopOperation>())
        {
            if (IsBounded(loop) || FiberMethod.Own(loop).Any(Awaits)) continue;
            SyntaxToken keyword = loop.Syntax.GetFirstToken();
            report(Diagnostic.Create(s_descriptor, keyword.GetLocation(), keyword.Text, fiber.Name));
        }
    }

    private static bool Awaits(IOperation operation) =>
        operation is IAwaitOperation or IForEachLoopOperation { IsAsynchronous: true }
        || operation is IUsingOperation { IsAsynchronous: true } or
            IUsingDeclarationOperation { IsAsynchronous: true };

    /// <summary>A counter that goes to a constant, or a collection whose size is in the text.</summary>
    private static bool IsBounded(ILoopOperation loop) => loop switch
    {
        IForLoopOperation { Condition: IBinaryOperation condition } counted =>
            CountedBy(counted) is { } counter
            && ((Is(condition.LeftOperand, counter) && condition.RightOperand.ConstantValue.HasValue)
                || (Is(condition.RightOperand, counter) && condition.LeftOperand.ConstantValue.HasValue)),
        IForEachLoopOperation each => each.Syntax is CommonForEachStatementSyntax
        {
            Expression: ArrayCreationExpressionSyntax or ImplicitArrayCreationExpressionSyntax
                or CollectionExpressionSyntax or LiteralExpressionSyntax,
        },
        _ => false,
    };

    private static ILocalSymbol? CountedBy(IForLoopOperation loop) => loop.AtLoopBottom
        .SelectMany(operation => operation.DescendantsAndSelf())
        .Select(operation => operation switch
        {
            IIncrementOrDecrementOperation step => step.Target,
            ICompoundAssignmentOperation { Value.ConstantValue.HasValue: true } step => step.Target,
            _ => null,
        })
        .OfType<ILocalReferenceOperation>().FirstOrDefault()?.Local;

    private static bool Is(IOperation operation, ILocalSymbol local) => operation switch
    {
        IConversionOperation conversion => Is(conversion.Operand, local),
        ILocalReferenceOperation reference => SymbolEqualityComparer.Default.Equals(reference.Local, local),
        _ => false,
    };
}
