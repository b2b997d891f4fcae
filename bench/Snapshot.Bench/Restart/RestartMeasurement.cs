using System.Globalization;

namespace Snapshot.Bench;

/// <summary>One restart in a process of its own, as a restart after a crash is.</summary>
internal sealed record RestartMeasurement
{
    /// <summary>Written at once on the way to the image: what copies of pages may take.</summary>
    private const long SliceBytes = 1L << 30;

    internal required long ArenaBytes { get; init; }

    /// <summary>
    /// Files that are read: a full image, and increments of a tenth of the pages at random.
    /// </summary>
    internal required int Images { get; init; }

    /// <summary>That of which all memory was there after the median time.</summary>
    internal required RestartTimes Times { get; init; }

    /// <summary>The least and the longest time until all memory was there, in milliseconds.</summary>
    internal required (double Least, double Most) ResidentMs { get; init; }

    /// <summary>
    /// Whether images come from the page cache (read once before) or from the disk (direct I/O).
    /// </summary>
    internal required bool IsWarm { get; init; }

    /// <summary>GB/s of memory, from opening until all is there.</summary>
    internal double GigabytesPerSecond => Times.Bytes / Times.ResidentMs / 1e6;

    internal required double DirectReadGigabytesPerSecond { get; init; }

    internal required double HugeReadGigabytesPerSecond { get; init; }

    /// <summary>
    /// First touch of as much fresh memory in huge pages, which an eager restart does, too; the slower of
    /// two. Where the host of a virtual machine has to find the memory first, this is what limits it.
    /// </summary>
    internal required double TouchGigabytesPerSecond { get; init; }

    /// <summary>
    /// Every combination of images, fill and cache for one size, and dd before and after them.
    /// </summary>
    internal static List<RestartMeasurement> Run(
        long arenaBytes, int increments, int rounds, IReadOnlyList<RestartFill> fills, BenchRun run)
    {
        Requirements.Program(DirectIo.Program);
        Requirements.Memory(
            arenaBytes + SliceBytes + (512L << 20),
            $"an arena of {Figures.Size(arenaBytes)} and copies of a part");
        Requirements.Disk(
            run.Directory, (2 * arenaBytes) + (increments * arenaBytes / 10) + (64L << 20),
            "images of that arena");
        List<RestartMeasurement> rows = [];
        foreach (int images in (int[])(increments > 0 ? [1, 1 + increments] : [1]))
        {
            using StoreFolder store = new(run.Directory);
            Fill(arenaBytes, images - 1, store.Path, run);
            rows.AddRange(Measure(arenaBytes, rounds, fills, store.Path, run));
        }

        return rows;
    }

    private static IEnumerable<RestartMeasurement> Measure(
        long arenaBytes, int rounds, IReadOnlyList<RestartFill> fills, string store, BenchRun run)
    {
        string[] images = Directory.GetFiles(store, "*.snapshot");
        string full = images.MaxBy(image => new FileInfo(image).Length)!;
        List<(RestartTimes Times, bool IsWarm)> runs = [];
        run.Say("dd, direct reads, and the first touch of memory");
        double dd = 0, huge = 0, touch = double.MaxValue;
        for (int round = 0; round < rounds; round++)
        {
            dd = Math.Max(dd, DirectIo.ReadGigabytesPerSecond(full));
            huge = Math.Max(huge, DirectIo.HugeReadGigabytesPerSecond(full));
            touch = Math.Min(touch, TouchInChild(arenaBytes));
            foreach (bool isWarm in (bool[])[false, true])
            {
                foreach (RestartFill fill in fills)
                {
                    run.Say($"{fill}, {(isWarm ? "page cache" : "disk")}, {images.Length} images");
                    if (isWarm) Array.ForEach(images, ReadThrough);
                    runs.Add((InChild(store, fill, isWarm), isWarm));
                }
            }
        }

        foreach (var same in runs.GroupBy(one => (one.Times.Fill, one.IsWarm)))
        {
            RestartTimes[] times = [.. same.Select(one => one.Times).OrderBy(one => one.ResidentMs)];
            yield return new RestartMeasurement
            {
                ArenaBytes = arenaBytes,
                Images = images.Length,
                Times = times[times.Length / 2],
                ResidentMs = (times[0].ResidentMs, times[^1].ResidentMs),
                IsWarm = same.Key.IsWarm,
                DirectReadGigabytesPerSecond = dd,
                HugeReadGigabytesPerSecond = huge,
                TouchGigabytesPerSecond = touch,
            };
        }
    }

    /// <summary>
    /// A full image of so many bytes that do not compress, made in slices, for the memory's sake, and
    /// increments.
    /// </summary>
    private static void Fill(long arenaBytes, int increments, string store, BenchRun run)
    {
        const long SlicePages = SliceBytes / PagePattern.PageBytes;
        Scenario scenario = new()
        {
            ArenaBytes = arenaBytes,
            DirtyPercent = 100,
            IsDense = true,
            Threads = Environment.ProcessorCount,
            Rounds = 1,
            Capture = CaptureMode.Stage,
            Encoding = BlockEncoding.None,
            IsSmooth = false,
            Directory = store,
        };
        SnapshotOptions options = new()
        {
            Capture = CaptureMode.Stage,
            Encoding = BlockEncoding.None,
            Tuning = new SnapshotTuning { StagingLimit = 2L << 30 },
            Store = StoreFolder.NewestOnly,
        };
        using SnapshotSession session = SnapshotSession.Create(store, options);
        using Workload workload = new(session, scenario);
        long pagesInAll = scenario.Pattern.Pages;
        for (long page = 0; page < pagesInAll; page += SlicePages)
        {
            run.Say($"filling, {page >> 8} of {pagesInAll >> 8} MiB");
            long count = Math.Min(SlicePages, pagesInAll - page);
            long[] pages = new long[count];
            for (long index = 0; index < count; index++) pages[index] = page + index;
            workload.Write(pages);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        run.Say("compacting to one full image");
        session.Store.CompactAsync(session.Store.Newest!.Generation).GetAwaiter().GetResult();
        session.Store.PruneAsync(options.Store.Retention).GetAwaiter().GetResult();
        PagePattern tenth = scenario.Pattern with { DirtyPercent = 10, IsDense = false };
        Random random = new(1);
        for (int increment = 0; increment < increments; increment++)
        {
            run.Say($"increment {increment + 1} of {increments}");
            workload.Write(tenth.Choose(random));
            session.RequestCheckpoint().WaitCommittedInThread();
        }
    }

    private static void ReadThrough(string file)
    {
        byte[] buffer = new byte[4 << 20];
        using FileStream stream = new(
            file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        while (stream.Read(buffer) > 0) continue;
    }

    private static RestartTimes InChild(string store, RestartFill fill, bool isWarm) =>
        ChildProcess.Run<RestartTimes>(
            RestartChild.CommandName, store, fill.ToString(), isWarm ? "buffered" : "direct");

    private static double TouchInChild(long bytes) => bytes / 1e6 / ChildProcess.Run<double>(
        RestartChild.TouchCommandName, bytes.ToString(CultureInfo.InvariantCulture));
}
