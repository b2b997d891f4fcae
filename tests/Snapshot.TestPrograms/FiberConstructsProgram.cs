using Snapshot.TestPrograms.FiberConstructs;
using Snapshot.Threads.Fibers;

namespace Snapshot.TestPrograms;

/// <summary>
/// Every construct that fiber methods may use, a fiber each, captured at each of its awaits and resumed in a
/// new process.
/// </summary>
/// <remarks>
/// <c>fiber-constructs STORE</c> runs all fibers to their next pause, takes a checkpoint, prints
/// <c>committed</c> and waits to be killed; started again, it opens the gate of that pause and goes on to the
/// next. When all have ended it prints a line <c>NAME RESULT FINALLYS PAUSES</c> each, and <c>end: leaked
/// FRAMES</c>.
/// </remarks>
internal static class FiberConstructsProgram
{
    /// <summary>More than any construct pauses.</summary>
    private const int Rounds = 16;

    private const int StackBytes = 64 << 20;

    private static readonly SemaphoreSlim s_paused = new(0);

    internal static unsafe int Run(string directory)
    {
        using SnapshotSession session = SnapshotSession.Open(directory);
        Arena arena = session.OpenArena("constructs", new ArenaOptions { Capacity = 256 << 20 });
        ArenaPointer<Stage> stage = arena.RootPointer<Stage>("stage");
        ArenaArray<Cell> cells = arena.RootArray<Cell>("cells", AllConstructs.List.Length);
        if (session.IsRestarted) OpenGate(session, stage);
        else SetUp(arena, stage, cells);

        Thread worker = new(() => Work(session, arena, stage, cells), StackBytes);
        worker.Start();
        s_paused.Wait();
        if (stage.Value.Ended < cells.Length)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            Say("committed");
            Thread.Sleep(Timeout.Infinite);
        }

        worker.Join();
        for (int i = 0; i < cells.Length; i++)
            Say($"{AllConstructs.List[i].Name} {cells[i].Result} {cells[i].Finallys} {cells[i].Pauses}");
        long leaked = arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName)->FirstWorker->Pool.LiveCells;
        Say($"end: leaked {leaked}");
        return 0;
    }

    private static void SetUp(Arena arena, ArenaPointer<Stage> stage, ArenaArray<Cell> cells)
    {
        stage.Value.Gates = arena.RootArray<ArenaEvent>("gates", Rounds);
        for (int i = 0; i < cells.Length; i++)
        {
            cells[i].Stage = Address(stage);
            cells[i].Numbers = arena.Allocate<long>(3);
        }
    }

    private static void OpenGate(SnapshotSession session, ArenaPointer<Stage> stage)
    {
        using Participant me = session.Attach("opener");
        stage.Value.Paused = 0;
        stage.Value.Gates[stage.Value.Round++].Set();
    }

    private static void Work(
        SnapshotSession session, Arena arena, ArenaPointer<Stage> stage, ArenaArray<Cell> cells) =>
        session.RunFibers("worker", arena, () =>
        {
            Fiber.Start((stage, cells.Length), static a => Conduct(a.stage, a.Length));
            for (int i = 0; i < cells.Length; i++)
                Fiber.Start((cells.PointerTo(i), i), static a => Enclose(a.Item1, a.i));
        });

    private static async FiberTask Enclose(ArenaPointer<Cell> cell, int index)
    {
        await AllConstructs.List[index].Body(cell);
        Pause.StageOf(cell).Value.Ended++;
    }

    /// <summary>Tells the main thread whenever every fiber is at a pause or has ended.</summary>
    private static async FiberTask Conduct(ArenaPointer<Stage> stage, long count)
    {
        while (true)
        {
            while (stage.Value.Paused + stage.Value.Ended < count) await Fiber.Yield();
            s_paused.Release();
            if (stage.Value.Ended == count) return;
            await stage.Value.Gates[stage.Value.Round].WaitAsync();
        }
    }

    private static unsafe nint Address(ArenaPointer<Stage> stage) => (nint)stage.Pointer;

    private static unsafe ArenaPointer<Cell> PointerTo(this ArenaArray<Cell> cells, int index) =>
        cells.Pointer + index;

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}

/// <summary>What the fibers share.</summary>
internal struct Stage
{
    /// <summary>A pause of that number waits for the gate of that number.</summary>
    public ArenaArray<ArenaEvent> Gates;

    public int Round;
    public int Paused;
    public int Ended;
}
