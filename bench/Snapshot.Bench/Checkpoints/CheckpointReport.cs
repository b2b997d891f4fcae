using System.Globalization;

namespace Snapshot.Bench;

/// <summary>The measured cells as tables, JSON and plots; a single cell in more detail.</summary>
internal static class CheckpointReport
{
    private const string MemoryNote =
        "huge pages: how much of the arena is still in them after the last checkpoint; memcpy: one thread " +
        "copies the pages written; fork: the call alone, all memory resident in huge pages; fork's copies: " +
        "what writing the same pages takes longer while the child lives; ";

    private static readonly IReadOnlyList<Column<CheckpointMeasurement>> s_cell =
    [
        new(null, "arenaBytes", row => row.Scenario.ArenaBytes),
        new("written %", null, row => row.Scenario.DirtyPercent.ToString(CultureInfo.InvariantCulture)),
        new(null, "dirtyPercent", row => row.Scenario.DirtyPercent),
        new("pattern", "pattern", row => row.Scenario.PatternName),
        new(null, "content", row => row.Scenario.ContentName),
        new(null, "threads", row => row.Scenario.Threads),
        new(null, "encoding", row => row.Scenario.Encoding.ToString()),
    ];

    private static readonly IReadOnlyList<Column<CheckpointMeasurement>> s_pauseBaselines =
    [
        new("huge pages %", "hugePagesPercent", row => row.HugePagesPercent),
        new("pause ms", null, row => row.PauseMedian),
        new("memcpy ms", "memcpyMs", row => row.Memory.MemcpyMs),
        new("pause / memcpy", "pauseOverMemcpy", row => row.PauseMedian / row.Memory.MemcpyMs),
        new("fork ms", "forkMs", row => row.Memory.ForkMs),
        new("fork's copies ms", "forkCopiesMs", row => row.Memory.ForkedRewriteMs - row.Memory.RewriteMs),
        new(null, "forkCopyNsPerPage", row => row.Memory.CopyOnWriteNanosecondsPerPage),
        new("plain file ms", "plainFileMs", row => row.PlainFileMilliseconds),
    ];

    private static readonly IReadOnlyList<Column<CheckpointMeasurement>> s_drain =
    [
        new("changed MiB", "bytesChanged", row => row.Rounds[^1].BytesChanged),
        new("written MiB", "bytesWritten", row => row.Rounds[^1].BytesWritten),
        new("shrink", "changedOverWritten", row =>
            (double)row.Rounds[^1].BytesChanged / row.Rounds[^1].BytesWritten),
        new("drain ms", "drainMsMedian", row =>
            row.Median(info => (info.Drain + info.Commit).TotalMilliseconds)),
        new("GB/s", "drainGBs", row => row.DrainGigabytesPerSecond),
        new("slowest", "drainGBsMin", row => row.Rounds.Min(CheckpointMeasurement.DrainOf)),
        new("fastest", "drainGBsMax", row => row.Rounds.Max(CheckpointMeasurement.DrainOf)),
        new("dd GB/s", "directWriteGBs", row => row.DirectWriteGigabytesPerSecond),
        new(
            "drain / dd", "drainOverDirectWrite",
            row => row.DrainGigabytesPerSecond / row.DirectWriteGigabytesPerSecond),
        new(
            "plain file GB/s", "plainFileGBs",
            row => row.Scenario.ArenaBytes / row.PlainFileMilliseconds / 1e6),
        new(null, "changedOverDirtied", row => (double)row.Rounds[^1].BytesChanged / row.Scenario.DirtyBytes),
        new(null, "directIo", row => row.Rounds[^1].DirectIo),
    ];

    internal static ScenarioReport Of(string name, IReadOnlyList<CheckpointMeasurement> rows)
    {
        IReadOnlyList<Column<CheckpointMeasurement>> capture =
            CaptureColumns.Of<CheckpointMeasurement>(row => row.Scenario.Capture, row => row.Rounds);
        IReadOnlyList<Column<CheckpointMeasurement>> all = [.. s_cell, .. capture, .. s_pauseBaselines,
            .. s_drain];
        bool isPause = name == CheckpointCommand.Pause;
        IReadOnlyList<Column<CheckpointMeasurement>> head = [.. s_cell, capture[0]];
        TextTable[] matrix = isPause
            ? [TextTable.Of(rows, [.. s_cell, .. capture]),
                TextTable.Of(rows, [.. head, .. s_pauseBaselines])]
            : [TextTable.Of(rows, [.. head, .. s_drain.Select(InMebibytes)])];
        return new ScenarioReport
        {
            Tables = rows is [CheckpointMeasurement one] ? [RoundsTable(one), SummaryTable(one)] : matrix,
            Json = ScenarioReport.JsonOf(rows, all),
            Note = NoteOf(rows, isPause || rows.Count == 1),
            Plots = [isPause ? PausePlot(rows) : DrainPlot(rows)],
        };
    }

    /// <summary>Bytes are for programs; people read the same column in MiB.</summary>
    private static Column<CheckpointMeasurement> InMebibytes(Column<CheckpointMeasurement> column) =>
        column.Heading?.EndsWith("MiB", StringComparison.Ordinal) == true
            ? column with { Value = row => (long)column.Value(row)! / 1048576.0 }
            : column;

    private static TextTable RoundsTable(CheckpointMeasurement measured) => TextTable.Of<SnapshotInfo>(
        measured.Rounds,
        [
            new("generation", null, info => info.Generation),
            new("changed MiB", null, info => info.BytesChanged / 1048576.0),
            new("written MiB", null, info => info.BytesWritten / 1048576.0),
            new("pause ms", null, info => info.Capture.Pause.Total.TotalMilliseconds),
            new("gather", null, info => info.Capture.Pause.Gather.TotalMilliseconds),
            new("collect", null, info => info.Capture.Pause.Collect.TotalMilliseconds),
            new("copy", null, info => info.Capture.Pause.Copy.TotalMilliseconds),
            new("release", null, info => info.Capture.Pause.Release.TotalMilliseconds),
            new("faults", null, info => info.CopyOnWrite?.Faults),
            new("copied", null, info => info.CopyOnWrite?.PagesCopied),
            new("drain GB/s", null, info => CheckpointMeasurement.DrainOf(info)),
        ]);

    private static TextTable SummaryTable(CheckpointMeasurement measured)
    {
        double plain = measured.PlainFileMilliseconds;
        return new TextTable(
            ["figure", "measured", "baseline", "ratio"],
            [
                Compared(
                    "pause, median", measured.PauseMedian, measured.Memory.MemcpyMs, "ms",
                    "memcpy of the pages written"),
                Compared("pause, median", measured.PauseMedian, measured.Memory.ForkMs, "ms", "fork()"),
                Compared(
                    "pause, median", measured.PauseMedian, plain, "ms",
                    "plain file of everything, with fsync"),
                ["pause, longest", $"{Figures.Text(measured.PauseMax)} ms", "", ""],
                ["in huge pages, after the last", $"{Figures.Text(measured.HugePagesPercent)} %", "", ""],
                Compared(
                    "drain, median", measured.DrainGigabytesPerSecond, measured.DirectWriteGigabytesPerSecond,
                    "GB/s",
                    "dd bs=4M oflag=direct"),
                [
                    "kernel's copy-on-write", "",
                    $"{Figures.Text(measured.Memory.CopyOnWriteNanosecondsPerPage)} " +
                    "ns  added to each page written after fork()", "",
                ],
            ]);
    }

    private static string[] Compared(
        string figure, double measured, double baseline, string unit, string what) =>
    [
        figure, $"{Figures.Text(measured)} {unit}", $"{Figures.Text(baseline)} {unit}  {what}",
        Figures.Text(measured / baseline),
    ];

    private static string NoteOf(IReadOnlyList<CheckpointMeasurement> rows, bool withMemory)
    {
        (Scenario scenario, SnapshotInfo last) = (rows[0].Scenario, rows[0].Rounds[^1]);
        string writing =
            last.DirectIo ? "direct I/O" : "buffered I/O, since the file system refuses direct I/O";
        string mode = rows.Count == 1 ? $"{last.Capture.Mode} ({last.Capture.ModeReason}); " : "";
        return $"{Figures.Size(scenario.ArenaBytes)} arena of {scenario.ContentName}, {scenario.Threads} " +
            $"threads, medians of {scenario.Rounds}; {mode}encoding {scenario.Encoding}; {writing}. " +
            (withMemory ? CaptureColumns.Note + MemoryNote : "") +
            "plain file: all of the arena, through the page cache, with fsync; dd: bs=4M oflag=direct, as " +
            "much as the last image, 256 MiB to 2 GiB.";
    }

    private static Plot PausePlot(IReadOnlyList<CheckpointMeasurement> rows) => new(
        $"Pause of a checkpoint, {Figures.Size(rows[0].Scenario.ArenaBytes)} arena",
        new PlotAxis("written between checkpoints, % of the pages"),
        new PlotAxis("milliseconds, median"),
        [
            .. PlotSeries.Group(rows, SeriesName, Written, row => row.PauseMedian),
            .. PlotSeries.Group(OfOneMode(rows), row => $"memcpy, {row.Scenario.PatternName}", Written,
                row => row.Memory.MemcpyMs, isBaseline: true),
            .. PlotSeries.Group(
                OfOnePattern(rows), _ => "fork()", Written, row => row.Memory.ForkMs, isBaseline: true),
            .. PlotSeries.Group(
                OfOnePattern(rows), _ => "plain file + fsync", Written, row => row.PlainFileMilliseconds,
                isBaseline: true),
        ]);

    private static Plot DrainPlot(IReadOnlyList<CheckpointMeasurement> rows) => new(
        $"Speed of writing an image, {rows[0].Scenario.ContentName}, encoding {rows[0].Scenario.Encoding}",
        new PlotAxis("written between checkpoints, % of the pages"),
        new PlotAxis("GB/s, median"),
        [
            .. PlotSeries.Group(rows, SeriesName, Written, row => row.DrainGigabytesPerSecond),
            .. PlotSeries.Group(OfOnePattern(rows), _ => "dd, direct", Written,
                row => row.DirectWriteGigabytesPerSecond, isBaseline: true),
            .. PlotSeries.Group(OfOnePattern(rows), _ => "plain file + fsync", Written,
                row => row.Scenario.ArenaBytes / row.PlainFileMilliseconds / 1e6, isBaseline: true),
        ]);

    private static string SeriesName(CheckpointMeasurement row) =>
        $"{row.Scenario.Capture}, {row.Scenario.PatternName}";

    private static double Written(CheckpointMeasurement row) => row.Scenario.DirtyPercent;

    /// <summary>Rows whose baselines differ, each once.</summary>
    private static IEnumerable<CheckpointMeasurement> OfOneMode(IEnumerable<CheckpointMeasurement> rows) =>
        rows.DistinctBy(row => (row.Scenario.DirtyPercent, row.Scenario.IsDense));

    private static IEnumerable<CheckpointMeasurement> OfOnePattern(IEnumerable<CheckpointMeasurement> rows) =>
        rows.DistinctBy(row => row.Scenario.DirtyPercent);
}
