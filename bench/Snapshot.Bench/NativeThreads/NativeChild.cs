using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Snapshot.NativeThreads;

namespace Snapshot.Bench;

/// <summary>
/// The processes of the native scenario: a process has one host of native threads in its life.
/// </summary>
internal static unsafe class NativeChild
{
    /// <summary>Not among the commands that help lists.</summary>
    internal const string CommandName = "native-child";

    /// <inheritdoc cref="CommandName"/>
    internal const string RestartCommandName = "native-restart-child";

    /// <inheritdoc cref="CommandName"/>
    internal const string PolledCommandName = "native-polled-child";

    private const long ArenaBytes = 2L << 30;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    /// <summary>As <c>struct spinner</c>.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Spinner
    {
        public ulong Turns;
    }

    private static string Module => Path.Combine(AppContext.BaseDirectory, "libsnapshot_bench_spin.so");

    internal static int Run(string store, int threads, int rounds)
    {
        SnapshotSession session = Open(store);
        ArenaArray<Spinner> spinners = Spinners(session, threads, out Arena arena);
        StartAll(session, arena, spinners);
        Await(spinners, new ulong[threads]);
        return Measure(session, spinners, rounds);
    }

    /// <summary>The same with threads of C# that poll.</summary>
    internal static int RunPolled(string store, int threads, int rounds)
    {
        SnapshotSession session = Open(store);
        ArenaArray<Spinner> spinners = Spinners(session, threads, out _);
        for (int index = 0; index < threads; index++)
        {
            Spinner* mine = spinners.Pointer + index;
            string name = $"polled {index}";
            new Thread(() => Spin(session, name, mine), maxStackSize: 256 << 10)
            {
                IsBackground =
                true
            }.Start();
        }

        Await(spinners, new ulong[threads]);
        return Measure(session, spinners, rounds);
    }

    internal static int Restart(string store, int threads)
    {
        long begun = Stopwatch.GetTimestamp();
        SnapshotSession session = Open(store);
        ArenaArray<Spinner> spinners = Spinners(session, threads, out Arena arena);
        ulong[] before = [.. Enumerable.Range(0, threads).Select(index => spinners[index].Turns)];
        NativeHost host = session.OpenNative(arena);
        host.Load(Module);
        double open = Since(begun);
        long starting = Stopwatch.GetTimestamp();
        host.ContinueAll();
        double started = Since(starting);
        Await(spinners, before);
        Console.WriteLine(JsonSerializer.Serialize(new NativeRestartTimes(open, started, Since(starting))));
        return End();
    }

    private static int Measure(SnapshotSession session, ArenaArray<Spinner> spinners, int rounds)
    {
        session.RequestCheckpoint().WaitCommittedInThread();
        List<SnapshotInfo> infos = [];
        double undisturbed = Rate(spinners, () => Thread.Sleep(s_window));
        long begun = Stopwatch.GetTimestamp();
        double disturbed = Rate(spinners, () =>
        {
            for (int round = 0; round < rounds; round++)
                infos.Add(session.RequestCheckpoint().WaitCommittedInThread());
        });
        double lost = (1 - (disturbed / undisturbed)) * Since(begun) / rounds
            * Math.Min(spinners.Length, Environment.ProcessorCount);
        double[] gathers = [.. infos.Select(info => info.Capture.Pause.Gather.TotalMilliseconds)];
        Console.WriteLine(JsonSerializer.Serialize(new NativeTimes(
            Figures.Median(gathers),
            gathers.Max(),
            Figures.Median(infos.Select(info => info.Capture.Pause.Total.TotalMilliseconds)),
            (long)Figures.Median(infos.Select(info => (double)info.BytesChanged)),
            lost)));
        return End();
    }

    /// <summary>Turns of all threads in a millisecond.</summary>
    private static double Rate(ArenaArray<Spinner> spinners, Action meanwhile)
    {
        ulong before = Sum(spinners);
        long begun = Stopwatch.GetTimestamp();
        meanwhile();
        return (Sum(spinners) - before) / Since(begun);
    }

    private static ulong Sum(ArenaArray<Spinner> spinners)
    {
        ulong sum = 0;
        for (long index = 0; index < spinners.Length; index++)
            sum += Volatile.Read(ref spinners[index].Turns);
        return sum;
    }

    private static SnapshotSession Open(string store) => SnapshotSession.Open(store, new SnapshotOptions
    {
        Encoding = BlockEncoding.None,
        Store = StoreFolder.NewestOnly,
    });

    private static ArenaArray<Spinner> Spinners(SnapshotSession session, int threads, out Arena arena)
    {
        arena = session.OpenArena("native", new ArenaOptions { Capacity = ArenaBytes });
        return arena.RootArray<Spinner>("spinners", threads);
    }

    private static void StartAll(SnapshotSession session, Arena arena, ArenaArray<Spinner> spinners)
    {
        NativeHost host = session.OpenNative(arena);
        NativeModule module = host.Load(Module);
        for (int index = 0; index < spinners.Length; index++) Start(host, module, spinners, index);
    }

    private static void Start(
        NativeHost host, NativeModule module, ArenaArray<Spinner> spinners, int index) =>
        host.Start($"spinner {index}", module, "spin", spinners.Pointer + index);

    private static void Spin(SnapshotSession session, string name, Spinner* mine)
    {
        using Participant me = session.Attach(name);
        while (true)
        {
            mine->Turns++;
            me.Poll();
        }
    }

    /// <summary>
    /// Until each has computed since. It does not yield: among hundreds of threads its turn would come late
    /// again.
    /// </summary>
    private static void Await(ArenaArray<Spinner> spinners, ulong[] before)
    {
        for (int index = 0; index < before.Length; index++)
        {
            while (Volatile.Read(ref spinners[index].Turns) == before[index]) Thread.SpinWait(20);
        }
    }

    /// <summary>At once: the threads compute for ever, and are to be in the image as they are.</summary>
    private static int End()
    {
        Console.Out.Flush();
        Environment.Exit(0);
        return 0;
    }

    private static double Since(long from) => Stopwatch.GetElapsedTime(from).TotalMilliseconds;
}
