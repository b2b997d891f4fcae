using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Flow;

/// <summary>
/// Finds the operands that are computed, then wait for an await in a later operand of the same operation: the
/// compiler keeps
/// them in temporaries of the frame.
/// </summary>
internal static class Spills
{
    /// <summary>The first such operand that is or holds a reference.</summary>
    internal static IOperation? In(IOperation operation)
    {
        if (operation is ICollectionExpressionOperation { Type.TypeKind: not TypeKind.Array } collection)
            return collection.Elements.Any(HasAwait) && FiberTypes.HoldsReference(collection.Type)
                ? collection : null;
        IOperation[] operands = [.. Operands(operation)];
        int last = operands.Length - 1;
        while (last > 0 && !HasAwait(operands[last])) last--;

        // The holes of an interpolated string are boxed, or made strings, one after the other.
        bool boxes = operation is IInterpolatedStringOperation;
        return operands.Take(last)
            .FirstOrDefault(operand => IsKept(operand) && (boxes || FiberTypes.HoldsReference(operand.Type)));
    }

    /// <summary>
    /// Whether a value needs a place in the frame; constants and <c>this</c> have none of their own.
    /// </summary>
    internal static bool IsKept(IOperation value) => !value.ConstantValue.HasValue
        && value is not (IInstanceReferenceOperation or IDefaultValueOperation or IDiscardOperation);

    /// <summary>The reference through which a field, property or element is reached.</summary>
    internal static IOperation? Receiver(IOperation place)
    {
        IOperation? receiver = place switch
        {
            IMemberReferenceOperation member => member.Instance,
            IArrayElementReferenceOperation element => element.ArrayReference,
            _ => null,
        };
        return receiver is not null && IsKept(receiver) && FiberTypes.HoldsReference(receiver.Type)
            ? receiver : null;
    }

    private static bool HasAwait(IOperation operation) =>
        operation.DescendantsAndSelf().Any(inner => inner is IAwaitOperation);

    /// <summary>The values an operation computes before it does its work, in order.</summary>
    private static IEnumerable<IOperation> Operands(IOperation operation) => operation switch
    {
        ICompoundAssignmentOperation compound =>
            [.. OperandsOfPlace(compound.Target), compound.Target, compound.Value],
        IAssignmentOperation assignment => [.. OperandsOfPlace(assignment.Target), assignment.Value],
        IInterpolatedStringOperation text =>
            text.Parts.OfType<IInterpolationOperation>().Select(hole => hole.Expression),
        _ => operation.ChildOperations.Select(
            child => child is IArgumentOperation argument ? argument.Value : child),
    };

    private static IEnumerable<IOperation> OperandsOfPlace(IOperation target) => target switch
    {
        ILocalReferenceOperation or IParameterReferenceOperation or IFlowCaptureReferenceOperation => [],
        IDeclarationExpressionOperation or IDiscardOperation => [],
        ITupleOperation tuple => tuple.Elements.SelectMany(OperandsOfPlace),
        IFieldReferenceOperation { Instance: { Type.IsValueType: true } instance } =>
            OperandsOfPlace(instance),
        _ => Operands(target),
    };
}
