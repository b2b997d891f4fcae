using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Snapshot.Bench;

/// <summary>
/// What memory itself costs, for pages written between two checkpoints; medians of three, in milliseconds.
/// </summary>
/// <param name="Pages">Pages written, of 4096 bytes.</param>
/// <param name="MemcpyMs">One thread copies them.</param>
/// <param name="RewriteMs">One thread writes them, and nothing watches.</param>
/// <param name="ForkMs">
/// fork() with the whole memory resident in huge pages: the pause of a checkpoint by fork.
/// </param>
/// <param name="ForkedRewriteMs">
/// The same writing while the child lives: the kernel copies each page before.
/// </param>
internal sealed record MemoryBaseline(
    long Pages, double MemcpyMs, double RewriteMs, double ForkMs, double ForkedRewriteMs)
{
    /// <summary>What the kernel's copy-on-write adds to each page.</summary>
    internal double CopyOnWriteNanosecondsPerPage => (ForkedRewriteMs - RewriteMs) * 1e6 / Pages;

    /// <summary>Measured in a process of its own, since fork() doubles all that a process has.</summary>
    internal static MemoryBaseline Of(Scenario scenario) => ChildProcess.Run<MemoryBaseline>(
        MemoryBaselineChild.CommandName, scenario.ArenaBytes.ToString(CultureInfo.InvariantCulture),
        scenario.DirtyPercent.ToString(CultureInfo.InvariantCulture), scenario.PatternName);
}

/// <summary>The process that measures it.</summary>
internal static unsafe partial class MemoryBaselineChild
{
    /// <summary>Not among the commands that help lists.</summary>
    internal const string CommandName = "memory-child";

    internal static int Run(string arenaBytes, string dirtyPercent, string pattern)
    {
        PagePattern pages = new(
            long.Parse(arenaBytes, CultureInfo.InvariantCulture) / PagePattern.PageBytes,
            double.Parse(dirtyPercent, CultureInfo.InvariantCulture), pattern == PagePattern.Dense);
        Console.WriteLine(JsonSerializer.Serialize(Measure(pages)));
        return 0;
    }

    private static MemoryBaseline Measure(PagePattern pattern)
    {
        Random random = new(1);
        double memcpy = 0;
        double[] alone = new double[3], fork = new double[3], forked = new double[3];
        for (int repeat = 0; repeat < fork.Length; repeat++)
        {
            // Fresh each time: what fork() shared is split into small pages and stays so.
            using HugeMemory memory = new(pattern.Pages * PagePattern.PageBytes);
            long[] pages = pattern.Choose(random);
            RewriteMilliseconds(memory.Pointer, PagePattern.All(pattern.Pages));
            if (repeat == 0) memcpy = Memcpy.Milliseconds(memory.Pointer, pages);
            alone[repeat] = RewriteMilliseconds(memory.Pointer, pages);
            long started = Stopwatch.GetTimestamp();
            Require(sn_bench_fork(out int child), "fork");
            fork[repeat] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            forked[repeat] = RewriteMilliseconds(memory.Pointer, pages);
            Require(sn_bench_end_child(child), "waitpid");
        }

        return new MemoryBaseline(
            pattern.DirtyPages, memcpy, Figures.Median(alone), Figures.Median(fork), Figures.Median(forked));
    }

    private static double RewriteMilliseconds(byte* memory, long[] pages)
    {
        long started = Stopwatch.GetTimestamp();
        ulong state = PageContent.Seed(1, 0);
        foreach (long page in pages)
            state = PageContent.Noise((long*)(memory + page * PagePattern.PageBytes), state);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static void Require(int error, string call)
    {
        if (error != 0) throw new IOException($"{call} failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("snapshot_bench_native")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_bench_fork(out int child);

    [LibraryImport("snapshot_bench_native")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_bench_end_child(int child);
}
