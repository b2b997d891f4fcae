using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Snapshot.Bench;

/// <summary>One restart in a process of its own, as a restart after a crash is.</summary>
internal sealed record RestartMeasurement
{
    internal required long ArenaBytes { get; init; }

    internal required RestartTimes Times { get; init; }

    /// <summary>Whether images come from the page cache (read once before) or from the disk (direct I/O).</summary>
    internal required bool IsWarm { get; init; }

    /// <summary>GB/s of memory, from opening until all is there.</summary>
    internal double GigabytesPerSecond => Times.Bytes / Times.ResidentMs / 1e6;

    internal required double DirectReadGigabytesPerSecond { get; init; }

    /// <summary>
    /// First touch of as much fresh memory in huge pages, which an eager restart does, too; the slower of two. Where
    /// the host of a virtual machine has to find the memory first, this is what limits it.
    /// </summary>
    internal required double TouchGigabytesPerSecond { get; init; }

    /// <summary>Every combination of fill and cache for one size, and dd before and after them.</summary>
    internal static List<RestartMeasurement> Run(long arenaBytes, string directory, Action<string> say)
    {
        DirectoryInfo store = Directory.CreateDirectory(
            Path.Combine(directory, $"snapshot-bench-{Environment.ProcessId}"));
        try
        {
            Fill(arenaBytes, store.FullName, say);
            string image = Directory.GetFiles(store.FullName, "*.snapshot").Single();
            List<(RestartTimes Times, bool IsWarm)> runs = [];
            say("dd, and the first touch of memory");
            double dd = Baselines.DirectReadGigabytesPerSecond(image), touch = TouchInChild(arenaBytes);
            foreach (bool isWarm in (bool[])[false, true])
            {
                foreach (RestartFill fill in (RestartFill[])[RestartFill.Eager, RestartFill.Lazy])
                {
                    say($"{fill}, {(isWarm ? "page cache" : "disk")}");
                    if (isWarm) ReadThrough(image);
                    runs.Add((InChild(store.FullName, fill, isWarm), isWarm));
                }
            }

            dd = Math.Max(dd, Baselines.DirectReadGigabytesPerSecond(image));
            touch = Math.Min(touch, TouchInChild(arenaBytes));
            return [.. runs.Select(run => new RestartMeasurement
            {
                ArenaBytes = arenaBytes,
                Times = run.Times,
                IsWarm = run.IsWarm,
                DirectReadGigabytesPerSecond = dd,
                TouchGigabytesPerSecond = touch,
            })];
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    /// <summary>A full image of so many bytes that do not compress, made in slices, for the memory's sake.</summary>
    private static void Fill(long arenaBytes, string store, Action<string> say)
    {
        const long SlicePages = (1L << 30) / 4096;
        Scenario scenario = new()
        {
            Name = "restart",
            ArenaBytes = arenaBytes,
            DirtyPercent = 100,
            IsDense = true,
            Threads = Environment.ProcessorCount,
            Rounds = 1,
            Capture = CaptureMode.Stage,
            Encoding = BlockEncoding.None,
            Directory = store,
        };
        SnapshotOptions options = new()
        {
            Capture = CaptureMode.Stage,
            Encoding = BlockEncoding.None,
            StagingLimit = 2L << 30,
            Store = new StoreOptions
            {
                ChainLengthMax = int.MaxValue,
                Retention = new RetentionPolicy { KeepLast = 1 },
            },
        };
        using SnapshotSession session = SnapshotSession.Create(store, options);
        using Workload workload = new(session, scenario);
        for (long page = 0; page < scenario.Pages; page += SlicePages)
        {
            say($"filling, {page >> 8} of {scenario.Pages >> 8} MiB");
            long count = Math.Min(SlicePages, scenario.Pages - page);
            long[] pages = new long[count];
            for (long index = 0; index < count; index++) pages[index] = page + index;
            workload.Write(pages);
            session.RequestCheckpoint().WaitCommitted();
        }

        say("compacting to one full image");
        session.Store.CompactAsync(session.Store.Newest!.Generation).GetAwaiter().GetResult();
        session.Store.PruneAsync(options.Store.Retention).GetAwaiter().GetResult();
    }

    private static void ReadThrough(string file)
    {
        byte[] buffer = new byte[4 << 20];
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        while (stream.Read(buffer) > 0) continue;
    }

    private static RestartTimes InChild(string store, RestartFill fill, bool isWarm) =>
        JsonSerializer.Deserialize<RestartTimes>(RunChild(
            RestartChild.CommandName, store, fill.ToString(), isWarm ? "buffered" : "direct"))!;

    private static double TouchInChild(long bytes) => bytes / 1e6 / JsonSerializer.Deserialize<double>(
        RunChild(RestartChild.TouchCommandName, bytes.ToString(CultureInfo.InvariantCulture)));

    private static string RunChild(params string[] arguments)
    {
        string program = Environment.ProcessPath!;
        string[] before = program.EndsWith("dotnet", StringComparison.Ordinal)
            ? ["exec", typeof(RestartMeasurement).Assembly.Location]
            : [];
        ProcessStartInfo start = new(program, [.. before, .. arguments]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new IOException($"'{arguments[0]}' ended with {child.ExitCode}: {output}");
        return output;
    }
}
