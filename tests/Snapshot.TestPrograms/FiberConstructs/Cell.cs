namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>What one construct did: one a fiber, in the arena.</summary>
internal struct Cell
{
    public long Result;
    public int Finallys;
    public int Pauses;

    /// <summary>Three elements.</summary>
    public ArenaArray<long> Numbers;

    /// <summary>Where <see cref="Pause"/> finds the stage.</summary>
    public nint Stage;

    /// <summary>Mixes a value into the result; the order counts.</summary>
    public void Add(long value) => Result = unchecked(Result * 31 + value);
}

internal static class CellResults
{
    /// <summary>
    /// <see cref="Cell.Add"/> of a value that is awaited: a reference cannot be kept while it is, a pointer
    /// can.
    /// </summary>
    internal static void Add(this ArenaPointer<Cell> cell, long value) => cell.Value.Add(value);
}

/// <summary>A construct: its name, and the method that begins it.</summary>
internal delegate FiberTask ConstructBody(ArenaPointer<Cell> cell);

/// <summary>
/// All constructs. The files of this folder are compiled twice: as fiber methods here, and as ordinary async
/// methods by the test, which compares what both computed.
/// </summary>
internal static class AllConstructs
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        .. ControlFlow.List, .. Exceptions.List, .. Calls.List, .. Values.List, .. Iteration.List,
        .. BetweenAwaits.List, .. FrameSizes.List,
    ];
}
