using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Snapshot.Analyzers.Flow;

/// <summary>The slots of one frame; each is made when it is first asked for.</summary>
internal sealed class SlotTable
{
    private readonly Dictionary<ISymbol, Slot> _variables = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, Slot> _buffers = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<CaptureId, Slot> _temporaries = [];
    private readonly Dictionary<ControlFlowRegion, Slot> _caught = [];
    private readonly Dictionary<ControlFlowRegion, Slot> _pending = [];
    private readonly Dictionary<ISymbol, ControlFlowRegion> _lives = new(SymbolEqualityComparer.Default);
    private readonly HashSet<ISymbol> _inObjects = new(SymbolEqualityComparer.Default);
    private readonly FiberMethod _fiber;

    internal SlotTable(FiberMethod fiber, ControlFlowGraph graph)
    {
        _fiber = fiber;
        FindLives(graph.Root);
        foreach (IOperation operation in fiber.Body.Descendants())
        {
            if (FiberMethod.FunctionIn(operation) is not ({ } function, { } body) || !NeedsObject(operation))
                continue;
            _inObjects.UnionWith(Captures.Of(function, body));
        }
    }

    internal IEnumerable<Slot> All =>
        [.. _variables.Values, .. _buffers.Values, .. _temporaries.Values, .. _caught.Values,
            .. _pending.Values];

    /// <summary>
    /// The slot of a variable of this frame; null for one of a function around it, or a constant.
    /// </summary>
    internal Slot? Of(ISymbol variable, ITypeSymbol type)
    {
        if (!SymbolEqualityComparer.Default.Equals(variable.ContainingSymbol, _fiber.Symbol)) return null;
        if (variable is ILocalSymbol { IsConst: true } or ILocalSymbol { IsRef: true }) return null;
        if (_variables.TryGetValue(variable, out Slot? slot)) return slot;
        SlotKind kind = _inObjects.Contains(variable) ? SlotKind.Closure : SlotKind.Variable;
        _lives.TryGetValue(variable, out ControlFlowRegion? life);
        slot = new Slot(kind) { Symbol = variable, Type = type, Region = life };
        _variables.Add(variable, slot);
        return slot;
    }

    internal Slot BufferOf(ILocalSymbol local)
    {
        if (!_buffers.TryGetValue(local, out Slot? slot))
            _buffers.Add(local, slot = new Slot(SlotKind.FixedBuffer) { Symbol = local, Type = local.Type });
        return slot;
    }

    internal Slot Of(CaptureId id, IOperation? value)
    {
        if (!_temporaries.TryGetValue(id, out Slot? slot))
            _temporaries.Add(id, slot = new Slot(SlotKind.Temporary) { Value = value, Type = value?.Type });
        return slot;
    }

    internal Slot CaughtIn(ControlFlowRegion handler) => Of(_caught, handler, SlotKind.Caught);

    internal Slot PendingOf(ControlFlowRegion tryBlock) => Of(_pending, tryBlock, SlotKind.Pending);

    private static Slot Of(Dictionary<ControlFlowRegion, Slot> slots, ControlFlowRegion region, SlotKind kind)
    {
        if (!slots.TryGetValue(region, out Slot? slot))
            slots.Add(region, slot = new Slot(kind) { Region = region });
        return slot;
    }

    /// <summary>
    /// A lambda gets its captures in an object, and so does an async local function or one made a delegate.
    /// What other local functions capture stays in a struct on the frame.
    /// </summary>
    private bool NeedsObject(IOperation function) => function is not ILocalFunctionOperation local
        || local.Symbol.IsAsync
        || local.Symbol.IsIterator
        || _fiber.Body.Descendants().OfType<IMethodReferenceOperation>()
            .Any(method => SymbolEqualityComparer.Default.Equals(
                method.Method.OriginalDefinition, local.Symbol.OriginalDefinition));

    private void FindLives(ControlFlowRegion region)
    {
        foreach (ILocalSymbol local in region.Locals) _lives[local] = region;
        foreach (ControlFlowRegion nested in region.NestedRegions) FindLives(nested);
    }
}
