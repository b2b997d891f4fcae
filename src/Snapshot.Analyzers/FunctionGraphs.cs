using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers;

/// <summary>
/// The control flow graphs of a block of code and of the functions in it; each is reached through the one
/// around it.
/// </summary>
internal sealed class FunctionGraphs(IOperation root, Func<IOperation, ControlFlowGraph> graphOfRoot)
{
    private readonly Dictionary<IOperation, ControlFlowGraph?> _graphs = [];

    /// <summary>
    /// The graph of the root, a local function or a lambda; null where the compiler gives none.
    /// </summary>
    internal ControlFlowGraph? Of(IOperation function)
    {
        if (_graphs.TryGetValue(function, out ControlFlowGraph? graph)) return graph;
        graph = function == root ? graphOfRoot(root) : InsideOf(Of(Around(function)), function);
        _graphs.Add(function, graph);
        return graph;
    }

    private IOperation Around(IOperation function)
    {
        IOperation? around = function.Parent;
        while (around is not null && around != root && FiberMethod.FunctionIn(around) is null)
            around = around.Parent;
        return around ?? root;
    }

    private static ControlFlowGraph? InsideOf(ControlFlowGraph? around, IOperation function)
    {
        if (around is null) return null;
        if (function is ILocalFunctionOperation local)
            return around.LocalFunctions.Contains(local.Symbol)
                ? around.GetLocalFunctionControlFlowGraph(local.Symbol)
                : null;
        return around.Blocks
            .SelectMany(
                block => block.BranchValue is { } value ? block.Operations.Add(value) : block.Operations)
            .SelectMany(operation => operation.DescendantsAndSelf())
            .OfType<IFlowAnonymousFunctionOperation>()
            .Where(lambda => lambda.Syntax == function.Syntax)
            .Select(lambda => around.GetAnonymousFunctionControlFlowGraph(lambda))
            .FirstOrDefault();
    }
}
