using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1202. A lock is the word in the arena; a copy of it, alone or in a struct, is another lock that nobody
/// shares.
/// </summary>
internal static class LockCopyRule
{
    internal static readonly DiagnosticDescriptor Descriptor = new(
        "SNAP1202",
        "An arena lock is copied",
        "'{0}' is copied here, and with it a lock ({1}) that the copy does not share: use a reference (ref)",
        "Snapshot.Use",
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "ArenaMutex, ArenaReaderWriterLock, ArenaSemaphore, ArenaEvent and ArenaBarrier are " +
            "words in an "
            +
            "arena. Assigned, passed, returned, boxed or captured by value, or called through a readonly " +
            "place, a "
            + "copy is entered and left, and the lock that others share is not.");

    internal static ImmutableArray<OperationKind> Kinds { get; } =
    [
        OperationKind.VariableDeclarator, OperationKind.SimpleAssignment, OperationKind.Argument,
        OperationKind.Return,
        OperationKind.FieldInitializer, OperationKind.Conversion, OperationKind.Tuple, OperationKind.Loop,
        OperationKind.Invocation, OperationKind.AnonymousFunction,
    ];

    internal static void Check(OperationAnalysisContext context, UseTypes types)
    {
        foreach ((SyntaxNode place, ITypeSymbol? type) in CopiesBy(context.Operation))
        {
            if (types.LockIn(type) is { } found)
                context.ReportDiagnostic(Diagnostic.Create(
                    Descriptor, place.GetLocation(), FiberRule.Quote(place), found.Name));
        }
    }

    private static IEnumerable<(SyntaxNode Place, ITypeSymbol? Type)> CopiesBy(
        IOperation operation) => operation switch
        {
            IVariableDeclaratorOperation { Symbol.RefKind: RefKind.None, Initializer.Value: { } value } it =>
                Copied(value, it.Symbol.Type),
            ISimpleAssignmentOperation { IsRef: false } assignment =>
                Copied(assignment.Value, assignment.Target.Type),
            IArgumentOperation { Parameter: { RefKind: RefKind.None } parameter } argument =>
                Copied(argument.Value, parameter.Type),
            IReturnOperation { ReturnedValue: { } value } returned when !ReturnsReference(returned) =>
                Copied(value, value.Type),
            IFieldInitializerOperation initializer => Copied(initializer.Value, initializer.Value.Type),
            IConversionOperation { Type.IsReferenceType: true } boxing =>
                Copied(boxing.Operand, boxing.Operand.Type),
            ITupleOperation tuple => tuple.Elements.SelectMany(element => Copied(element, element.Type)),
            IForEachLoopOperation
            {
                LoopControlVariable: IVariableDeclaratorOperation { Symbol.RefKind: RefKind.None } each
            } => [(each.Syntax, each.Symbol.Type)],
            IInvocationOperation { TargetMethod: { IsReadOnly: false, IsStatic: false }, Instance: { } place }
                when IsReadOnly(place) => [(place.Syntax, place.Type)],
            IAnonymousFunctionOperation lambda => Captures.Of(lambda.Symbol, lambda.Body)
                .Select(captured => (lambda.Syntax, TypeOf(captured))),
            _ => [],
        };

    /// <summary>
    /// A value that is made where it is used is no copy: default, new, what a call returns by value.
    /// </summary>
    private static IEnumerable<(SyntaxNode, ITypeSymbol?)> Copied(IOperation value, ITypeSymbol? type)
    {
        while (value is IParenthesizedOperation or IConversionOperation { IsImplicit: true })
            value = value.ChildOperations.First();
        bool isPlace =
            value is ILocalReferenceOperation or IFieldReferenceOperation or IParameterReferenceOperation
                or IArrayElementReferenceOperation or IInstanceReferenceOperation
                or IPropertyReferenceOperation { Property.ReturnsByRef: true }
                or IPropertyReferenceOperation { Property.ReturnsByRefReadonly: true }
                or IInvocationOperation { TargetMethod.ReturnsByRef: true }
                or IInvocationOperation { TargetMethod.ReturnsByRefReadonly: true }
            || value.Syntax is ElementAccessExpressionSyntax
            || value.Syntax.RawKind == (int)SyntaxKind.PointerIndirectionExpression;
        return isPlace ? [(value.Syntax, type)] : [];
    }

    /// <summary>A method that may change the receiver is called on a copy of it there.</summary>
    private static bool IsReadOnly(IOperation place) => place switch
    {
        IFieldReferenceOperation { Field.IsReadOnly: true } field => !IsInConstructorOf(field),
        IFieldReferenceOperation { Instance: { Type.IsValueType: true } owner } => IsReadOnly(owner),
        IParameterReferenceOperation { Parameter.RefKind: RefKind.In or RefKind.RefReadOnlyParameter } =>
            true,
        ILocalReferenceOperation { Local.RefKind: RefKind.RefReadOnly } => true,
        IPropertyReferenceOperation { Property.ReturnsByRefReadonly: true } => true,
        IInvocationOperation { TargetMethod.ReturnsByRefReadonly: true } => true,
        IInstanceReferenceOperation { Type.IsValueType: true } instance =>
            MethodAround(instance) is { IsReadOnly: true },
        _ => false,
    };

    private static bool IsInConstructorOf(IFieldReferenceOperation field) =>
        MethodAround(
            field) is { MethodKind: MethodKind.Constructor or MethodKind.StaticConstructor } constructor
        && SymbolEqualityComparer.Default.Equals(constructor.ContainingType, field.Field.ContainingType);

    private static bool ReturnsReference(IOperation returned)
    {
        for (IOperation? around = returned.Parent; around is not null; around = around.Parent)
        {
            if (FiberMethod.FunctionIn(around) is { } function)
                return function.Symbol.RefKind != RefKind.None;
        }

        return MethodAround(returned) is { RefKind: not RefKind.None };
    }

    private static IMethodSymbol? MethodAround(IOperation operation) =>
        operation.SemanticModel?.GetEnclosingSymbol(operation.Syntax.SpanStart) as IMethodSymbol;

    private static ITypeSymbol? TypeOf(ISymbol captured) => captured switch
    {
        ILocalSymbol { RefKind: RefKind.None } local => local.Type,
        IParameterSymbol { RefKind: RefKind.None } parameter => parameter.Type,
        _ => null,
    };
}
