using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers;

/// <summary>What a function uses of the functions and of the instance around it.</summary>
internal static class Captures
{
    /// <summary>
    /// The variables and, for <c>this</c>, the type whose instance it is; also what is used only through a
    /// local function that is called. Each once, in the order of use.
    /// </summary>
    internal static IReadOnlyList<ISymbol> Of(IMethodSymbol function, IOperation body)
    {
        List<ISymbol> found = [];
        Collect(function, body, found, new HashSet<ISymbol>(SymbolEqualityComparer.Default));
        return found;
    }

    /// <summary>Whether a symbol is declared by a function or by one inside it.</summary>
    internal static bool IsDeclaredIn(ISymbol symbol, IMethodSymbol function)
    {
        for (ISymbol? around = symbol.ContainingSymbol; around is not null; around = around.ContainingSymbol)
        {
            if (SymbolEqualityComparer.Default.Equals(around, function)) return true;
        }

        return false;
    }

    private static void Collect(
        IMethodSymbol function, IOperation operation, List<ISymbol> found, ISet<ISymbol> seen)
    {
        if (operation is INameOfOperation) return;
        if (UsedBy(operation) is { } used && !IsDeclaredIn(used, function) && seen.Add(used))
        {
            if (used is not IMethodSymbol called) found.Add(used);
            else if (BodyOf(called, operation) is { } body) Collect(function, body, found, seen);
        }

        foreach (IOperation child in operation.ChildOperations) Collect(function, child, found, seen);
    }

    private static ISymbol? UsedBy(IOperation operation) => operation switch
    {
        ILocalReferenceOperation { Local.IsConst: false } reference => reference.Local,
        IParameterReferenceOperation reference => reference.Parameter,
        IInstanceReferenceOperation
        {
            ReferenceKind: InstanceReferenceKind.ContainingTypeInstance,
        } instance => instance.Type,
        IInvocationOperation { TargetMethod.MethodKind: MethodKind.LocalFunction } call => call.TargetMethod,
        IMethodReferenceOperation { Method.MethodKind: MethodKind.LocalFunction } method => method.Method,
        _ => null,
    };

    private static IOperation? BodyOf(IMethodSymbol localFunction, IOperation somewhere)
    {
        IOperation root = somewhere;
        while (root.Parent is { } parent) root = parent;
        return root.Descendants().OfType<ILocalFunctionOperation>()
            .FirstOrDefault(local => SymbolEqualityComparer.Default.Equals(
                local.Symbol.OriginalDefinition, localFunction.OriginalDefinition))
            ?.Body;
    }
}
