using System.Reflection;
using System.Runtime.Loader;

namespace Snapshot.TestPrograms;

/// <summary>
/// A fiber whose methods are in assemblies that are given by path, and may be others after a restart.
/// </summary>
/// <remarks>
/// <c>fiber-library STORE stay|warm ASSEMBLY...</c>: <c>stay</c> is captured inside the method
/// <c>Entry.Stay</c> of one of them, <c>warm</c> in a method of this program after <c>Entry.Warm</c> has
/// ended. A fresh one prints <c>committed</c> and waits to be killed; a restarted one prints <c>resumed:
/// VALUE</c> or <c>refused: CODE MESSAGE</c>.
/// </remarks>
internal static class FiberLibraryProgram
{
    private static readonly SemaphoreSlim s_reached = new(0);
    private static Func<ArenaPointer<long>, FiberTask>? s_stay;
    private static Func<FiberTask>? s_warm;

    internal static unsafe int Run(string directory, string mode, string[] assemblies)
    {
        foreach (string path in assemblies) Load(path);
        using SnapshotSession session = SnapshotSession.Open(directory);
        Arena arena = session.OpenArena("library", new ArenaOptions { Capacity = 16 << 20 });
        ArenaPointer<long> go = arena.RootPointer<long>("go");
        if (session.IsRestarted)
        {
            go.Value = 1;
            Console.WriteLine(Outcome(session, arena, go, mode));
            return 0;
        }

        Thread worker = new(() => Work(session, arena, go, mode)) { IsBackground = true };
        worker.Start();
        s_reached.Wait();
        session.RequestCheckpoint().WaitCommittedInThread();
        Console.WriteLine("committed");
        Console.Out.Flush();
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static string Outcome(SnapshotSession session, Arena arena, ArenaPointer<long> go, string mode)
    {
        try
        {
            Work(session, arena, go, mode);
            return $"resumed: {go.Value}";
        }
        catch (SnapshotException error)
        {
            return $"refused: {error.Code} {error.Message}";
        }
    }

    private static void Load(string path)
    {
        Assembly assembly = AssemblyLoadContext.Default.LoadFromAssemblyPath(path);
        if (assembly.GetType("Entry") is not { } entry) return;
        entry.GetField("Reached")?.SetValue(null, () => { s_reached.Release(); });
        s_stay = entry.GetMethod("Stay")?.CreateDelegate<Func<ArenaPointer<long>, FiberTask>>();
        s_warm = entry.GetMethod("Warm")?.CreateDelegate<Func<FiberTask>>();
    }

    private static void Work(SnapshotSession session, Arena arena, ArenaPointer<long> go, string mode) =>
        session.RunFibers("worker", arena, () =>
        {
            if (mode == "stay") Fiber.Start(go, static g => s_stay!(g));
            else Fiber.Start(go, static g => Own(g));
        });

    private static async FiberTask Own(ArenaPointer<long> go)
    {
        await s_warm!();
        s_reached.Release();
        while (go.Value == 0) await Fiber.Yield();
        go.Value = 100;
    }
}
