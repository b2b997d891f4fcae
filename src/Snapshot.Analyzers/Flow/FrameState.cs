using System.Collections.Immutable;

namespace Snapshot.Analyzers.Flow;

/// <summary>What is known of the slots of a frame at one point of a method.</summary>
/// <param name="stale">Those an await may have left behind since their last assignment.</param>
/// <param name="buffers">Fixed buffers that may hold something, which the next await will lose.</param>
internal sealed class FrameState(ImmutableHashSet<Slot> stale, ImmutableHashSet<Slot> buffers)
{
    internal static FrameState Empty { get; } = new([], []);

    /// <summary>States of one point only grow: two of the same size are the same.</summary>
    internal int Size => stale.Count + buffers.Count;

    internal bool IsStale(Slot slot) => stale.Contains(slot);

    internal FrameState Join(FrameState other) =>
        this == other ? this : new(stale.Union(other.Stale), buffers.Union(other.Buffers));

    internal FrameState Without(Slot slot) => new(stale.Remove(slot), buffers.Remove(slot));

    /// <summary>The state after a step.</summary>
    internal FrameState After(Step step, ImmutableHashSet<Slot> all) => step switch
    {
        { Kind: StepKind.Await } => new(all.Union(stale).Union(buffers), buffers),
        { Slot: null } or { Kind: StepKind.Spill } => this,
        { Slot.Kind: SlotKind.FixedBuffer, Kind: StepKind.Use } => new(stale, buffers.Add(step.Slot)),
        { Slot.Kind: SlotKind.FixedBuffer, Kind: StepKind.Assign } =>
            new(stale.Remove(step.Slot), buffers.Add(step.Slot)),
        { Kind: StepKind.Assign or StepKind.Clear } => Without(step.Slot),
        _ => this,
    };

    private ImmutableHashSet<Slot> Stale => stale;

    private ImmutableHashSet<Slot> Buffers => buffers;
}
