using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace Snapshot.Analyzers.Flow;

/// <summary>
/// The rule by which the C# compiler itself decides what becomes a field of a state machine: an await leaves
/// every variable unassigned, and one that is used where it may be unassigned has to be kept.
/// </summary>
/// <remarks>
/// A forward analysis to a fixed point. A slot is <em>stale</em> where an await may lie between its last
/// assignment and here. An exception may leave a try block at every step, so its handlers start with all that
/// was stale anywhere in it. Handlers of <c>finally</c> are passed by: what they assign is not believed, an
/// await in them has a rule of its own.
/// </remarks>
internal sealed class SurvivalAnalysis
{
    private readonly ControlFlowGraph _graph;
    private readonly SlotTable _slots;
    private readonly IReadOnlyList<Step>[] _steps;
    private readonly ImmutableHashSet<Slot> _all;
    private readonly FrameState?[] _entries;
    private readonly Queue<int> _queue = [];

    internal SurvivalAnalysis(FiberMethod fiber, ControlFlowGraph graph)
    {
        _graph = graph;
        _slots = new SlotTable(fiber, graph);
        StepReader reader = new(fiber, _slots);
        _steps = [.. graph.Blocks.Select(
            block => (IReadOnlyList<Step>)[.. reader.Read(block), .. Rethrow(block)])];
        foreach (ControlFlowRegion region in Regions(graph.Root))
        {
            if (region.Kind == ControlFlowRegionKind.TryAndCatch) _slots.PendingOf(region.NestedRegions[0]);
        }

        _all = [.. _slots.All.Where(slot => slot.Kind != SlotKind.FixedBuffer)];
        _entries = new FrameState?[graph.Blocks.Length];
    }

    internal List<Survivor> Survivors { get; } = [];

    internal List<IOperation> Spilled { get; } = [];

    internal HashSet<CatchClauseSyntax> CatchesAfterAwait { get; } = [];

    internal void Run()
    {
        Enter(0, FrameState.Empty);
        while (_queue.Count > 0) Follow(_graph.Blocks[_queue.Dequeue()]);
        foreach (BasicBlock block in _graph.Blocks)
        {
            if (block.IsReachable && _entries[block.Ordinal] is { } entry) Report(block, entry);
        }
    }

    /// <summary>Carries the state at the entry of a block to all blocks that may come next.</summary>
    private void Follow(BasicBlock block)
    {
        FrameState state = _entries[block.Ordinal]!;
        FrameState anywhere = state;
        foreach (Step step in _steps[block.Ordinal])
        {
            state = state.After(step, _all);
            anywhere = anywhere.Join(state);
        }

        foreach (ControlFlowBranch branch in Successors(block))
        {
            if (branch.Destination is { } destination)
                Enter(destination.Ordinal, EnterRegions(state, branch));
        }

        for (ControlFlowRegion? region = block.EnclosingRegion; region is not null;
            region = region.EnclosingRegion)
        {
            if (region.Kind == ControlFlowRegionKind.Try) EnterHandlers(region, anywhere);
        }
    }

    /// <summary>
    /// A closure object is new where its variables come to life; so is what a try statement may catch.
    /// </summary>
    private FrameState EnterRegions(FrameState state, ControlFlowBranch branch)
    {
        foreach (ControlFlowRegion region in branch.EnteringRegions)
        {
            foreach (Slot slot in _all)
            {
                if (slot.Region == region && slot.Kind is SlotKind.Closure or SlotKind.Pending)
                    state = state.Without(slot);
            }
        }

        return state;
    }

    private void EnterHandlers(ControlFlowRegion tryBlock, FrameState state)
    {
        foreach (ControlFlowRegion handler in tryBlock.EnclosingRegion!.NestedRegions)
        {
            if (handler == tryBlock) continue;
            FrameState entry = state;
            foreach (ControlFlowRegion region in Regions(handler))
            {
                if (region.Kind == ControlFlowRegionKind.Catch)
                    entry = entry.Without(_slots.CaughtIn(region));
            }

            Enter(handler.FirstBlockOrdinal, entry);
        }
    }

    private void Enter(int block, FrameState state)
    {
        FrameState? known = _entries[block];
        FrameState joined = known?.Join(state) ?? state;
        if (known is not null && joined.Size == known.Size) return;
        _entries[block] = joined;
        _queue.Enqueue(block);
    }

    private void Report(BasicBlock block, FrameState state)
    {
        foreach (Step step in _steps[block.Ordinal])
        {
            if (step.Kind == StepKind.Spill) Spilled.Add(step.Operation);
            if (step.Kind == StepKind.Use && state.IsStale(step.Slot!))
                Survivors.Add(new Survivor(step.Slot!, step.Operation));
            state = state.After(step, _all);
        }

        foreach (ControlFlowBranch branch in Successors(block))
        {
            if (branch.Destination is null) continue;
            foreach (ControlFlowRegion left in branch.LeavingRegions)
            {
                if (left.Kind != ControlFlowRegionKind.Try) continue;
                if (left.EnclosingRegion!.Kind != ControlFlowRegionKind.TryAndCatch) continue;
                if (state.IsStale(_slots.PendingOf(left))) AddCatchesOf(left);
            }
        }
    }

    private void AddCatchesOf(ControlFlowRegion tryBlock)
    {
        foreach (ControlFlowRegion handler in Regions(tryBlock.EnclosingRegion!))
        {
            if (handler.Kind != ControlFlowRegionKind.Catch) continue;
            CatchClauseSyntax? clause = _graph.Blocks
                .Where(block => CatchAround(block) == handler)
                .SelectMany(block => block.Operations)
                .Select(operation => operation.Syntax.FirstAncestorOrSelf<CatchClauseSyntax>())
                .FirstOrDefault();
            if (clause is not null && TryOf(handler) == tryBlock.EnclosingRegion)
                CatchesAfterAwait.Add(clause);
        }
    }

    private IEnumerable<Step> Rethrow(BasicBlock block)
    {
        if (CatchAround(block) is not { } handler) yield break;
        if (block.FallThroughSuccessor?.Semantics != ControlFlowBranchSemantics.Rethrow) yield break;
        IOperation? somewhere = _graph.Blocks.Where(inside => CatchAround(inside) == handler)
            .SelectMany(inside => inside.Operations).FirstOrDefault();
        if (somewhere is not null) yield return new Step(StepKind.Use, somewhere, _slots.CaughtIn(handler));
    }

    private static ControlFlowRegion? CatchAround(BasicBlock block)
    {
        ControlFlowRegion? region = block.EnclosingRegion;
        while (region is not null && region.Kind != ControlFlowRegionKind.Catch)
            region = region.EnclosingRegion;
        return region;
    }

    private static ControlFlowRegion? TryOf(ControlFlowRegion handler) =>
        handler.EnclosingRegion is { Kind: ControlFlowRegionKind.FilterAndHandler } filtered
            ? filtered.EnclosingRegion
            : handler.EnclosingRegion;

    private static IEnumerable<ControlFlowBranch> Successors(BasicBlock block)
    {
        if (block.FallThroughSuccessor is { } next) yield return next;
        if (block.ConditionalSuccessor is { } other) yield return other;
    }

    private static IEnumerable<ControlFlowRegion> Regions(ControlFlowRegion region)
    {
        yield return region;
        foreach (ControlFlowRegion nested in region.NestedRegions.SelectMany(Regions)) yield return nested;
    }
}
