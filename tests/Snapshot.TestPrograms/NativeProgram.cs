using System.Globalization;
using Snapshot.NativeThreads;

namespace Snapshot.TestPrograms;

/// <summary>
/// Runs one native thread for each kind of work that a native module has, takes checkpoints all the while,
/// and prints what they computed: the same bits, however often it is killed and started again.
/// </summary>
/// <remarks><c>native STORE EVERY-MS ROUNDS (MODULE FUNCTION KINDS)…</c>; 0 ms: no checkpoints.</remarks>
internal static unsafe class NativeProgram
{
    /// <summary>As in the modules.</summary>
    private struct Job
    {
        public ulong Kind;
        public ulong Rounds;
        public double Sum;
        public ulong Hash;
    }

    internal static int Run(string[] arguments)
    {
        int every = Number(arguments[1]), rounds = Number(arguments[2]);
        using SnapshotSession session = SnapshotSession.Open(arguments[0]);
        Arena arena = session.OpenArena("native", new ArenaOptions { Capacity = 1 << 30 });
        NativeHost host = session.OpenNative(arena);
        List<(string Name, NativeThread Thread, nint Job)> threads = [];
        List<(NativeModule Module, string Function, int Kinds)> modules = [];
        for (int at = 3; at < arguments.Length; at += 3)
            modules.Add((host.Load(arguments[at]), arguments[at + 1], Number(arguments[at + 2])));
        Console.WriteLine(session.IsRestarted ? $"restarted {session.Restarted!.Generation}" : "fresh");
        foreach ((NativeModule module, string function, int kinds) in modules)
        {
            ArenaArray<Job> jobs = arena.RootArray<Job>(function, kinds);
            for (int kind = 0; kind < kinds; kind++)
            {
                Job* job = jobs.Pointer + kind;
                if (job->Rounds == 0)
                    *job = new Job
                    {
                        Kind = (ulong)kind,
                        Rounds = (ulong)rounds,
                        Sum = 0,
                        Hash =
                        (ulong)kind + 1
                    };
                string name = $"{function} {kind}";
                threads.Add((name, host.Start(name, module, function, job), (nint)job));
            }
        }

        Thread noise = new(MakeGarbage) { IsBackground = true };
        noise.Start();
        while (every != 0 && threads.Exists(started => !started.Thread.HasEnded))
        {
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Console.WriteLine($"generation {info.Generation}: {info.Capture.Pause}");
            Thread.Sleep(every);
        }

        foreach ((string name, NativeThread thread, nint address) in threads)
        {
            ulong done = thread.Join();
            Job* job = (Job*)address;
            long sum = BitConverter.DoubleToInt64Bits(job->Sum);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"result {name}: {done} {sum:x16} {job->Hash:x16}"));
        }

        Console.WriteLine("end");
        return 0;
    }

    /// <summary>Collections stop and walk all threads of the runtime, beside those that are native.</summary>
    private static void MakeGarbage()
    {
        List<byte[]> kept = [];
        for (int round = 0; ; round++)
        {
            kept.Add(new byte[10_000]);
            if (kept.Count > 300) kept.Clear();
            if (round % 100 == 0) Thread.Sleep(1);
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
