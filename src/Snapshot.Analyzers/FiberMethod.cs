using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Snapshot.Analyzers.Flow;

namespace Snapshot.Analyzers;

/// <summary>
/// A method, local function or lambda whose frame is to live in an arena: what every rule looks at.
/// </summary>
internal sealed class FiberMethod
{
    private readonly Lazy<Survival> _survival;

    private FiberMethod(IMethodSymbol symbol, IOperation body, Func<ControlFlowGraph?> graph)
    {
        Symbol = symbol;
        Body = body;
        _survival = new Lazy<Survival>(() => Survival.Of(this, graph()));
    }

    internal IMethodSymbol Symbol { get; }

    internal IOperation Body { get; }

    /// <summary>What lives across an await; computed when a rule first asks.</summary>
    internal Survival Survival => _survival.Value;

    /// <summary>How messages call it.</summary>
    internal string Name => NameOf(Symbol);

    /// <summary>The operations of the method itself, without those of functions inside it.</summary>
    internal IEnumerable<IOperation> Operations => Own(Body);

    /// <summary>Where the method is called by its name, or where a lambda begins.</summary>
    internal Location Location => LocationOf(Symbol);

    internal static string NameOf(IMethodSymbol function) =>
        function.MethodKind == MethodKind.AnonymousFunction ? "the lambda" : $"'{function.Name}'";

    internal static Location LocationOf(IMethodSymbol function) =>
        function.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() switch
        {
            MethodDeclarationSyntax method => method.Identifier.GetLocation(),
            LocalFunctionStatementSyntax local => local.Identifier.GetLocation(),
            AnonymousFunctionExpressionSyntax lambda when lambda.AsyncKeyword != default =>
                lambda.AsyncKeyword.GetLocation(),
            _ => function.Locations.FirstOrDefault() ?? Location.None,
        };

    /// <summary>All fiber methods in one block of code, with the functions inside it.</summary>
    internal static IEnumerable<FiberMethod> In(
        IOperation root, ISymbol owner, Func<IOperation, ControlFlowGraph> graphOf, FiberTypes types)
    {
        FunctionGraphs graphs = new(root, graphOf);
        if (owner is IMethodSymbol method && types.IsFiber(method) && root is IBlockOperation)
            yield return new FiberMethod(method, root, () => graphs.Of(root));
        foreach (IOperation operation in root.Descendants())
        {
            if (FunctionIn(operation) is { } function && types.IsFiber(function.Symbol) &&
                function.Body is { } body)
                yield return new FiberMethod(function.Symbol, body, () => graphs.Of(operation));
        }
    }

    /// <summary>The function an operation declares, if it declares one.</summary>
    internal static (IMethodSymbol Symbol, IOperation? Body)? FunctionIn(
        IOperation operation) => operation switch
        {
            ILocalFunctionOperation local => (local.Symbol, local.Body),
            IAnonymousFunctionOperation lambda => (lambda.Symbol, lambda.Body),
            _ => null,
        };

    /// <summary>An operation and what is in it, but for the insides of functions.</summary>
    internal static IEnumerable<IOperation> Own(IOperation operation)
    {
        yield return operation;
        foreach (IOperation child in operation.ChildOperations)
        {
            if (FunctionIn(child) is not null) continue;
            foreach (IOperation inner in Own(child)) yield return inner;
        }
    }
}
