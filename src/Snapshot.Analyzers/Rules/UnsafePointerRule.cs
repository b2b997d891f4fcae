using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Rules;

/// <summary>SNAP1203. An ArenaPointer made of a raw pointer where a checked call makes the same.</summary>
internal static class UnsafePointerRule
{
    internal static readonly DiagnosticDescriptor Descriptor = new(
        "SNAP1203",
        "An ArenaPointer is made in unsafe code",
        "Make this ArenaPointer with {0}, which needs no unsafe code and checks that it lies in the arena",
        "Snapshot.Use",
        DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        description: "ArenaArray.PointerTo(index) and Arena.PointerTo(ref place) make pointers to " +
            "elements, roots and "
            + "their fields without unsafe code, and refuse what does not lie there.");

    internal static void Check(OperationAnalysisContext context, UseTypes types)
    {
        if (types.Pointer is null) return;
        IOperation? source = context.Operation switch
        {
            IConversionOperation { Operand: { Type: IPointerTypeSymbol } operand } conversion
                when IsPointer(conversion.Type) => operand,
            IObjectCreationOperation { Arguments.Length: 1 } creation when IsPointer(creation.Type) =>
                creation.Arguments[0].Value,
            _ => null,
        };
        if (source is not null && SafeWay(source, types) is { } safe)
            context.ReportDiagnostic(
                Diagnostic.Create(Descriptor, context.Operation.Syntax.GetLocation(), safe));

        bool IsPointer(ITypeSymbol? type) => Is(type, types.Pointer);
    }

    /// <summary>Null where no other way is known, as for a pointer that came from somewhere else.</summary>
    private static string? SafeWay(IOperation source, UseTypes types) => source switch
    {
        IConversionOperation conversion => SafeWay(conversion.Operand, types),
        IParenthesizedOperation parenthesized => SafeWay(parenthesized.Operand, types),
        IBinaryOperation { LeftOperand: var left } when IsFirstElement(left, types) =>
            "ArenaArray.PointerTo(index)",
        IInvocationOperation { TargetMethod: { Name: "AsPointer", ContainingType.Name: "Unsafe" } } =>
            "Arena.PointerTo(ref place)",
        IInvocationOperation { TargetMethod: { Name: "RootPointer", ContainingType: var type } }
            when Is(type, types.Arena) => "Arena.PointerTo(ref arena.Root<T>(name))",
        _ => IsFirstElement(source, types) ? "ArenaArray.PointerTo(index)" : null,
    };

    private static bool IsFirstElement(IOperation source, UseTypes types) =>
        source is IPropertyReferenceOperation { Property: { Name: "Pointer", ContainingType: var type } }
        && Is(type, types.Array);

    private static bool Is(ITypeSymbol? type, INamedTypeSymbol? definition) =>
        definition is not null && SymbolEqualityComparer.Default.Equals(type?.OriginalDefinition, definition);
}
