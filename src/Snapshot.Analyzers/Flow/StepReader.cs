using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Flow;

/// <summary>Reads the operations of a control flow graph into steps.</summary>
internal sealed class StepReader(FiberMethod fiber, SlotTable slots)
{
    private readonly Dictionary<CaptureId, IOperation> _captured = [];
    private readonly List<Step> _steps = [];

    /// <summary>The steps of a block, in the order of evaluation.</summary>
    internal IReadOnlyList<Step> Read(BasicBlock block)
    {
        _steps.Clear();
        foreach (IOperation operation in block.Operations) Read(operation);
        if (block.BranchValue is { } value) Read(value);
        return [.. _steps];
    }

    private void Read(IOperation operation)
    {
        switch (operation)
        {
            case INameOfOperation:
                return;
            case IFlowAnonymousFunctionOperation lambda:
                UseCapturesOf(lambda.Symbol, operation);
                return;
            case IAssignmentOperation assignment:
                ReadAssignment(assignment);
                return;
            case IArgumentOperation { Parameter.RefKind: RefKind.Out } argument:
                ReadPlace(argument.Value);
                Write(argument.Value, null);
                return;
            case IFieldReferenceOperation { Field.IsFixedSizeBuffer: true } when LocalUnder(
                operation) is { } local:
                Add(StepKind.Use, operation, slots.BufferOf(local));
                return;
            case ILocalReferenceOperation reference:
                Add(StepKind.Use, operation, slots.Of(reference.Local, reference.Local.Type));
                return;
            case IParameterReferenceOperation reference:
                Add(StepKind.Use, operation, slots.Of(reference.Parameter, reference.Parameter.Type));
                return;
            case IFlowCaptureReferenceOperation reference:
                Add(StepKind.Use, operation, slots.Of(reference.Id, null));
                return;
        }

        foreach (IOperation child in operation.ChildOperations) Read(child);
        if (Spills.In(operation) is { } kept) Add(StepKind.Spill, kept, null);
        AfterChildren(operation);
    }

    /// <summary>What an operation does when its operands have been evaluated.</summary>
    private void AfterChildren(IOperation operation)
    {
        switch (operation)
        {
            case IAwaitOperation:
                Add(StepKind.Await, operation, null);
                break;
            case IFlowCaptureOperation capture:
                _captured[capture.Id] = capture.Value;
                Add(StepKind.Assign, operation, slots.Of(capture.Id, capture.Value));
                break;
            case IInvocationOperation { TargetMethod.MethodKind: MethodKind.LocalFunction } call:
                UseCapturesOf(call.TargetMethod, operation);
                break;
            case IMethodReferenceOperation { Method.MethodKind: MethodKind.LocalFunction } method:
                UseCapturesOf(method.Method, operation);
                break;
            case IDeclarationPatternOperation { DeclaredSymbol: ILocalSymbol local }:
                Add(StepKind.Assign, operation, slots.Of(local, local.Type));
                break;
            case IRecursivePatternOperation { DeclaredSymbol: ILocalSymbol local }:
                Add(StepKind.Assign, operation, slots.Of(local, local.Type));
                break;
            case IListPatternOperation { DeclaredSymbol: ILocalSymbol local }:
                Add(StepKind.Assign, operation, slots.Of(local, local.Type));
                break;
        }
    }

    private void ReadAssignment(IAssignmentOperation assignment)
    {
        if (assignment is ICompoundAssignmentOperation) Read(assignment.Target);
        else ReadPlace(assignment.Target);
        Read(assignment.Value);
        if (Spills.In(assignment) is { } kept) Add(StepKind.Spill, kept, null);
        Write(assignment.Target, assignment is ISimpleAssignmentOperation ? assignment.Value : null);
    }

    /// <summary>What is evaluated to find the place that is written to.</summary>
    private void ReadPlace(IOperation target)
    {
        switch (target)
        {
            case ILocalReferenceOperation or IParameterReferenceOperation or IFlowCaptureReferenceOperation:
            case IDeclarationExpressionOperation or IDiscardOperation:
                break;
            case IFieldReferenceOperation { Field.IsFixedSizeBuffer: false, Instance: { } instance }:
                if (instance.Type is { IsValueType: true }) ReadPlace(instance);
                else Read(instance);
                break;
            case ITupleOperation tuple:
                foreach (IOperation element in tuple.Elements) ReadPlace(element);
                break;
            case IFieldReferenceOperation { Field.IsFixedSizeBuffer: true }:
                Read(target);
                break;
            default:
                foreach (IOperation child in target.ChildOperations) Read(child);
                break;
        }
    }

    private void Write(IOperation target, IOperation? value)
    {
        switch (target)
        {
            case ILocalReferenceOperation reference:
                Assign(reference, slots.Of(reference.Local, reference.Local.Type), value);
                if (FiberTypes.HasFixedBuffer(reference.Local.Type))
                    Assign(reference, slots.BufferOf(reference.Local), value);
                break;
            case IParameterReferenceOperation reference:
                Assign(reference, slots.Of(reference.Parameter, reference.Parameter.Type), value);
                break;
            case IDeclarationExpressionOperation declaration:
                Write(declaration.Expression, null);
                break;
            case ITupleOperation tuple:
                foreach (IOperation element in tuple.Elements) Write(element, null);
                break;
            case IFlowCaptureReferenceOperation reference
                when _captured.TryGetValue(reference.Id, out IOperation? place):
                if (place is ILocalReferenceOperation or IParameterReferenceOperation) Write(place, value);
                else if (Spills.Receiver(place) is not null)
                    Add(StepKind.Use, reference, slots.Of(reference.Id, null));
                break;

            // A field of a struct: the compiler, too, takes the rest of it for assigned when it was before.
            case IFieldReferenceOperation { Field.IsFixedSizeBuffer: false } when LocalUnder(
                target) is { } local:
                Assign(target, slots.Of(local, local.Type), null);
                break;
        }
    }

    private void Assign(IOperation operation, Slot? slot, IOperation? value)
    {
        // A closure object is found again through the frame to write to a variable in it.
        if (slot?.Kind == SlotKind.Closure) Add(StepKind.Use, operation, slot);
        else Add(IsDefault(value) ? StepKind.Clear : StepKind.Assign, operation, slot);
    }

    private void UseCapturesOf(IMethodSymbol function, IOperation operation)
    {
        IOperation? body = fiber.Body.Descendants()
            .Select(FiberMethod.FunctionIn)
            .FirstOrDefault(inside => inside is { } found
                && SymbolEqualityComparer.Default.Equals(
                    found.Symbol.OriginalDefinition, function.OriginalDefinition))?.Body;
        if (body is null) return;
        foreach (ISymbol captured in Captures.Of(function.OriginalDefinition, body))
        {
            ITypeSymbol? type = (captured as ILocalSymbol)?.Type ?? (captured as IParameterSymbol)?.Type;
            if (type is not null) Add(StepKind.Use, operation, slots.Of(captured, type));
        }
    }

    private void Add(StepKind kind, IOperation operation, Slot? slot)
    {
        if (slot is not null || kind is StepKind.Await or StepKind.Spill)
            _steps.Add(new Step(kind, operation, slot));
    }

    /// <summary>The local that a field reference, through structs only, is part of.</summary>
    private static ILocalSymbol? LocalUnder(IOperation operation) => operation switch
    {
        ILocalReferenceOperation reference => reference.Local,
        IFieldReferenceOperation { Instance: { Type.IsValueType: true } instance } => LocalUnder(instance),
        _ => null,
    };

    private static bool IsDefault(IOperation? value) => value switch
    {
        IConversionOperation conversion => IsDefault(conversion.Operand),
        IDefaultValueOperation => true,
        IObjectCreationOperation { Arguments.Length: 0, Initializer: null, Type.IsValueType: true } made =>
            made.Constructor is null or { IsImplicitlyDeclared: true },
        _ => false,
    };
}
