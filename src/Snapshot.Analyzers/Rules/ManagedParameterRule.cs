using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1101. The compiler copies every parameter that is used at all into the state machine, whether it is
/// needed after an await or not; one that is not used is not copied.
/// </summary>
internal sealed class ManagedParameterRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1101",
        "A parameter of a fiber method is of a managed type",
        "Parameter '{0}' of {1} is of type '{2}', which {3}: the frame of a fiber cannot keep it",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "The parameters of a fiber method are kept in its frame, which lives in an arena and " +
            "comes back "
            + "in another process. Pass unmanaged values: numbers, structs, ArenaPointer<T>, ArenaArray<T>; "
            + "constrain type parameters with 'where T : unmanaged'.");

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        foreach (IParameterSymbol parameter in fiber.Symbol.Parameters)
        {
            if (parameter.RefKind != RefKind.None || !FiberTypes.HoldsReference(parameter.Type)) continue;
            if (!IsUsed(parameter, fiber.Body)) continue;
            report(Diagnostic.Create(
                s_descriptor,
                parameter.Locations.FirstOrDefault(),
                parameter.Name,
                fiber.Name,
                FiberTypes.NameOf(parameter.Type),
                Reason(parameter.Type)));
        }
    }

    private static string Reason(ITypeSymbol type) => type switch
    {
        ITypeParameterSymbol => "is not constrained to be unmanaged",
        { IsReferenceType: true } => "is a reference",
        _ => "holds a reference",
    };

    private static bool IsUsed(IParameterSymbol parameter, IOperation operation) => operation switch
    {
        INameOfOperation => false,
        IParameterReferenceOperation reference =>
            SymbolEqualityComparer.Default.Equals(reference.Parameter, parameter),
        _ => operation.ChildOperations.Any(child => IsUsed(parameter, child)),
    };
}
