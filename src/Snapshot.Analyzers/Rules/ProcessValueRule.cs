using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers.Rules;

/// <summary>
/// SNAP1108. A number that means something in one process only. Approximate: it sees what is assigned from a
/// known source directly, and does not ask which assignment of several it was.
/// </summary>
internal sealed class ProcessValueRule : FiberRule
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "SNAP1108",
        "A value that dies with the process is used after an await",
        "'{0}' comes from '{1}', is used after an await, and means nothing in another process",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        description: "A fiber may be continued in another process, on another thread, after any time. " +
            "Thread and "
            +
            "process ids, timestamps of a running clock, handles and memory outside arenas do not survive " +
            "that.");

    /// <summary>Members by type and name; those of a type without names are all meant.</summary>
    private static readonly Dictionary<string, string[]> s_sources = new()
    {
        ["System.Environment"] = ["CurrentManagedThreadId", "ProcessId", "TickCount", "TickCount64"],
        ["System.Threading.Thread"] = ["ManagedThreadId", "GetCurrentProcessorId"],
        ["System.Diagnostics.Process"] = ["Id", "Handle"],
        ["System.Diagnostics.Stopwatch"] = ["GetTimestamp", "ElapsedTicks", "ElapsedMilliseconds", "Elapsed"],
        ["System.TimeProvider"] = ["GetTimestamp"],
        ["System.Runtime.InteropServices.SafeHandle"] = ["DangerousGetHandle"],
        ["System.Runtime.InteropServices.GCHandle"] = ["Alloc", "ToIntPtr", "AddrOfPinnedObject"],
        ["System.Runtime.InteropServices.NativeMemory"] = ["Alloc", "AllocZeroed", "AlignedAlloc", "Realloc"],
        ["System.Runtime.InteropServices.Marshal"] =
            ["AllocHGlobal", "AllocCoTaskMem", "GetFunctionPointerForDelegate"],
        ["System.Runtime.InteropServices.NativeLibrary"] = ["Load", "GetExport"],
    };

    internal override DiagnosticDescriptor Descriptor => s_descriptor;

    internal override void Check(FiberMethod fiber, Action<Diagnostic> report)
    {
        HashSet<ISymbol> told = new(SymbolEqualityComparer.Default);
        foreach (Survivor survivor in fiber.Survival.Survivors)
        {
            if (survivor.Slot is not { Kind: SlotKind.Variable, Symbol: ILocalSymbol local }) continue;
            if (FiberTypes.HoldsReference(local.Type) || SourceOf(local, fiber) is not { } source) continue;
            if (!told.Add(local)) continue;
            report(Diagnostic.Create(
                s_descriptor,
                survivor.Use.Syntax.GetLocation(),
                additionalLocations: local.Locations,
                local.Name,
                $"{source.ContainingType.Name}.{source.Name}"));
        }
    }

    private static ISymbol? SourceOf(ILocalSymbol local, FiberMethod fiber) => fiber.Operations
        .Select(operation => operation switch
        {
            IVariableDeclaratorOperation declared when Is(declared.Symbol, local) =>
                declared.GetVariableInitializer()?.Value,
            ISimpleAssignmentOperation { Target: ILocalReferenceOperation target } assigned
                when Is(target.Local, local) => assigned.Value,
            _ => null,
        })
        .Select(value => value is null ? null : SourceIn(value))
        .FirstOrDefault(source => source is not null);

    private static bool Is(ISymbol symbol, ISymbol other) =>
        SymbolEqualityComparer.Default.Equals(symbol, other);

    /// <summary>
    /// A source plus something is one still; the difference of two is a duration, which survives.
    /// </summary>
    private static ISymbol? SourceIn(IOperation value) => value switch
    {
        IConversionOperation conversion => SourceIn(conversion.Operand),
        IParenthesizedOperation inner => SourceIn(inner.Operand),
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Add } sum =>
            SourceIn(sum.LeftOperand) ?? SourceIn(sum.RightOperand),
        IPropertyReferenceOperation reference => IfSource(reference.Property),
        IInvocationOperation call => IfSource(call.TargetMethod),
        _ => null,
    };

    private static ISymbol? IfSource(ISymbol member)
    {
        for (INamedTypeSymbol? type = member.ContainingType; type is not null; type = type.BaseType)
        {
            if (s_sources.TryGetValue(type.ToDisplayString(), out string[]? names) &&
                names.Contains(member.Name))
                return member;
        }

        return null;
    }
}
