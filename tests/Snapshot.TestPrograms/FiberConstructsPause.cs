namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>
/// Where a construct is captured; in the ordinary methods this is something else that suspends.
/// </summary>
internal static class Pause
{
    internal static async FiberTask Here(ArenaPointer<Cell> cell)
    {
        ArenaPointer<Stage> stage = StageOf(cell);
        stage.Value.Paused++;
        await stage.Value.Gates[cell.Value.Pauses++].WaitAsync();
    }

    internal static unsafe ArenaPointer<Stage> StageOf(ArenaPointer<Cell> cell) => (Stage*)cell.Value.Stage;
}
