using System.IO.Pipes;
using System.Runtime.InteropServices;
using Snapshot.Interop;
using Snapshot.NativeThreads;

namespace Snapshot.TestPrograms;

/// <summary>Scenes with one native thread, of scenes.c; each prints a line per event.</summary>
internal static unsafe class NativeScenes
{
    private static readonly ManualResetEventSlim s_mayReturn = new();

    /// <summary>
    /// The founding scenario with a native thread: it blocks on a lock that an async handler holds, the
    /// checkpoint completes, and only the handler's resume part, in this process or the next, lets it in.
    /// </summary>
    internal static int Founding(string store, string library)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        NativeModule module = host.Load(library);
        NativeThread? thread = session.IsRestarted ? host.Start("wanting", module, "want_lock", scene) : null;
        Say(session.IsRestarted
            ? $"restarted: mutex {(scene->Mutex.IsHeld ? "held" : "free")}, wanting {scene->Wanting}, " +
                $"entered {scene->Entered}"
            : "fresh");
        session.RegisterHandler("locker", CheckpointHandler.Create(
            _ =>
            {
                scene->Mutex.Enter();
                Volatile.Write(ref scene->Go, 1);
                SpinUntil(ref scene->Wanting);
            },
            outcome =>
            {
                Say($"handler: {outcome.Kind}, entered {Volatile.Read(ref scene->Entered)}");
                Volatile.Write(ref scene->Released, 1);
                scene->Mutex.Exit();
            }));
        if (!session.IsRestarted)
        {
            thread = host.Start("wanting", module, "want_lock", scene);
            Say($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}");
        }

        Say($"end: entered {thread!.Join()}, too early {scene->EnteredEarly}");
        if (!session.IsRestarted) Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    /// <summary>
    /// A thread that cannot be stopped for the moment: the checkpoint is given up in time and says who and
    /// where; the next one, after it was let go, succeeds.
    /// </summary>
    internal static int Late(string store, string library, string function)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        scene->Descriptor = (int)pipe.ClientSafePipeHandle.DangerousGetHandle();
        scene->Callback = (nint)(delegate* unmanaged<void>)&WaitInManagedCode;
        NativeThread thread = host.Start("late", host.Load(library), function, scene);
        SpinUntil(ref scene->Wanting);
        try
        {
            CheckpointOptions options = new() { Timeout = TimeSpan.FromSeconds(0.5) };
            Say($"committed {session.RequestCheckpoint(options).WaitCommittedInThread().Generation}");
        }
        catch (SnapshotException error)
        {
            Say($"{error.Code}: {error.Message}");
        }

        Volatile.Write(ref scene->Go, 1);
        s_mayReturn.Set();
        pipe.WriteByte(1);
        Say($"returned {thread.Join()}");
        Say($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}");
        return 0;
    }

    /// <summary>
    /// Handlers in C, in the thread, and in C#, on its behalf: what they are told, here and in a new process.
    /// </summary>
    internal static int Handlers(string store, string library)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        NativeOptions options = new()
        {
            Handlers = [("watcher",
                CheckpointHandler.Create(_ => Say("C#: prepare"), o => Say($"C#: {o.Kind}")))],
        };
        Scene* scene = Open(session, out NativeHost host, options);
        NativeThread thread = host.Start("handling", host.Load(library), "handle", scene);
        SpinUntil(ref scene->Wanting);
        if (!session.IsRestarted)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            SpinUntil(ref scene->Continues);
        }
        else
        {
            SpinUntil(ref scene->Restarts);
        }

        Say($"C: {scene->Checkpoints} {scene->Continues} {scene->Restarts}");
        if (!session.IsRestarted) Thread.Sleep(Timeout.Infinite);
        Volatile.Write(ref scene->Go, 1);
        Say($"returned {thread.Join()}");
        return 0;
    }

    /// <summary>
    /// Opens a session on what another process has left, with this library as its module, after others.
    /// </summary>
    internal static int Load(string store, string library, params string[] before)
    {
        foreach (string other in before) NativeLibrary.Load(other);
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        NativeThread thread = host.Start("spinning", host.Load(library), "spin", scene);
        SpinUntil(ref scene->Wanting);
        Say($"committed {session.RequestCheckpoint().WaitCommittedInThread().Generation}");
        Volatile.Write(ref scene->Go, 1);
        _ = thread.Join();
        return 0;
    }

    /// <summary>
    /// A native thread, a thread of C# and fibers count under one lock while checkpoints are taken.
    /// </summary>
    internal static int Sharing(string store, string library)
    {
        const int Rounds = 20_000, Fibers = 3;
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        ArenaPointer<Scene> shared = scene;
        scene->Rounds = Rounds;
        NativeThread[] threads = [.. Enumerable.Range(0, 2).Select(
            index => host.Start($"counting {index}", host.Load(library), "count_locked", scene))];
        Thread polled = new(() => CountPolled(session, scene, Rounds));
        Thread fibers = new(() => session.RunFibers("fibers", host.Arena, () =>
        {
            for (int fiber = 0; fiber < Fibers; fiber++) Fiber.Start(shared, NativeSceneFibers.Count);
        }));
        polled.Start();
        fibers.Start();
        int generations = 0;
        while (threads.Any(thread => !thread.HasEnded) || polled.IsAlive || fibers.IsAlive)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            generations++;
        }

        foreach (NativeThread thread in threads) thread.Join();
        polled.Join();
        fibers.Join();
        ulong expected = Rounds * (ulong)(threads.Length + 1 + Fibers);
        bool isRight = scene->Total == expected && scene->Again == expected;
        Say($"total {(isRight ? "right" : $"wrong: {scene->Total}")}");
        Say(generations > 0 ? "captured" : "not captured");
        return 0;
    }

    /// <summary>
    /// A native thread asks the host while checkpoints are taken, and goes on asking in a new process.
    /// </summary>
    internal static int Asking(string store, string library)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        scene->Rounds = 3_000;
        NativeThread thread = host.Start("asking", host.Load(library), "ask", scene);
        while (!thread.HasEnded)
        {
            session.RequestCheckpoint().WaitCommittedInThread();
            Say($"asked {Volatile.Read(ref scene->Entered)}");
        }

        Say($"wrong {thread.Join()}, asked {scene->Entered}");
        return 0;
    }

    /// <summary>
    /// A native thread asks the host in a critical section, after a checkpoint has begun to stop
    /// participants.
    /// </summary>
    internal static int AskingCritical(string store, string library)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host);
        NativeThread thread = host.Start("asking", host.Load(library), "ask_critical", scene);
        SpinUntil(ref scene->Wanting);
        using Participant me = session.Attach("polled");
        me.RegisterHandler("stopping", CheckpointHandler.Create(_ => Volatile.Write(ref scene->Go, 1)));
        CheckpointOptions options = new() { Timeout = TimeSpan.FromSeconds(20) };
        Say($"committed {session.RequestCheckpoint(options).WaitCommittedInThread().Generation}");
        Say($"wrong {thread.Join()}");
        return 0;
    }

    /// <summary>
    /// A native thread holds a pointer into libc in a variable, in its heap and on its stack: all are found.
    /// </summary>
    internal static int Audited(string store, string library)
    {
        List<NativeFinding> findings = [];
        using SnapshotSession session = SnapshotSession.Open(store);
        Scene* scene = Open(session, out NativeHost host, new NativeOptions { Audit = findings.Add });
        NativeModule module = host.Load(library);
        NativeThread clean = host.Start("clean", module, "spin", scene);
        SpinUntil(ref scene->Wanting);
        session.RequestCheckpoint().WaitCommittedInThread();
        Say($"clean: {findings.Count}");
        foreach (NativeFinding finding in findings) Say($"unexpected: {finding}");
        Volatile.Write(ref scene->Go, 1);
        _ = clean.Join();
        scene->Go = scene->Wanting = 0;
        findings.Clear();
        scene->Callback = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "strtod");
        NativeThread holding = host.Start("holding", module, "hold_pointers", scene);
        SpinUntil(ref scene->Wanting);
        session.RequestCheckpoint().WaitCommittedInThread();
        foreach (NativeFinding finding in findings.DistinctBy(finding => finding.Where))
            Say($"found in {finding.Where}: {finding.PointsTo}, {finding.Value == scene->Callback}");
        Volatile.Write(ref scene->Go, 1);
        Say($"returned {holding.Join()}");
        return 0;
    }

    /// <summary>Somebody has memory where the module is linked.</summary>
    internal static int PlaceTaken(string store, string library)
    {
        using SnapshotSession session = SnapshotSession.Open(store);
        Open(session, out NativeHost host);
        for (int slot = 0; slot < NativeModuleBase.Count; slot++)
        {
            int errno =
                Native.sn_memory_reserve(NativeModuleBase.AddressOf(slot), (ulong)Environment.SystemPageSize);
            if (errno != 0) throw new InvalidOperationException($"slot {slot}: errno {errno}");
        }

        host.Load(library);
        return 0;
    }

    /// <summary>Somebody handles the signal.</summary>
    internal static int SignalTaken(string store)
    {
        using PosixSignalRegistration taken = PosixSignalRegistration.Create((PosixSignal)42, _ => { });
        using SnapshotSession session = SnapshotSession.Open(store);
        Open(session, out _);
        return 0;
    }

    /// <summary>Two sessions with native threads, one after the other.</summary>
    internal static int Twice(string store)
    {
        for (int session = 0; session < 2; session++)
        {
            using SnapshotSession opened = SnapshotSession.Open($"{store}/{session}");
            Open(opened, out _);
        }

        return 0;
    }

    private static void CountPolled(SnapshotSession session, Scene* scene, int rounds)
    {
        using Participant me = session.Attach("polled");
        for (int round = 0; round < rounds; round++)
        {
            using (scene->Mutex.EnterScope()) scene->Again = ++scene->Total;
            me.Poll();
        }
    }

    [UnmanagedCallersOnly]
    private static void WaitInManagedCode() => s_mayReturn.Wait();

    private static Scene* Open(SnapshotSession session, out NativeHost host, NativeOptions? options = null)
    {
        Arena arena = session.OpenArena("native", new ArenaOptions { Capacity = 64 << 20 });
        host = session.OpenNative(arena, options);
        return arena.RootPointer<Scene>("scene");
    }

    private static void SpinUntil(ref uint word)
    {
        SpinWait spin = default;
        while (Volatile.Read(ref word) == 0) spin.SpinOnce();
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
