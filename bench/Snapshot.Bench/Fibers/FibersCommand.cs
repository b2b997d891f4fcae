using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the fibers scenario, and what it prints.</summary>
internal static class FibersCommand
{
    private static readonly IReadOnlyList<Column<FiberMeasurement>> s_columns =
    [
        new("fibers", "fibers", row => row.Fibers),
        new("in arena KiB", null, row => row.ArenaBytes / 1024.0),
        new(null, "arenaBytes", row => row.ArenaBytes),
        new("written KiB", null, row => row.Checkpoint.BytesWritten / 1024.0),
        new(null, "bytesWritten", row => row.Checkpoint.BytesWritten),
        new("pause ms", "pauseMs", row => row.Checkpoint.Capture.Pause.Total.TotalMilliseconds),
        new("open ms", "openMs", row => row.Open.TotalMilliseconds),
        new("restore ms", "restoreMs", row => row.Restore.TotalMilliseconds),
        new("unwind ms", "unwindMs", row => row.Unwind.TotalMilliseconds),
        new("memcpy ms", "memcpyMs", row => row.Memcpy.TotalMilliseconds),
    ];

    internal static BenchCommand Create()
    {
        Option<int[]> fibers = SharedOptions
            .Several(
                "--fibers", "How many fibers wait when the checkpoint is taken; a row each.", 1, 1000, 10_000,
                100_000)
            .RequireEach(count => count >= 1, "at least 1");
        Option<int> depth = SharedOptions.Number("--depth", "Frames of each fiber.", 3, 1, 10_000);
        return new BenchCommand(
            "fibers",
            "How long fibers take to be captured and to go on from their image, beside a memcpy of them.",
            [fibers, depth], (result, run) =>
        {
            int frames = result.GetValue(depth);

            // The first run compiles what the others run.
            FiberMeasurement.Run(1, 1, run.Directory);
            List<FiberMeasurement> rows = [];
            foreach (int count in result.GetValue(fibers)!)
            {
                run.Say($"{count} fibers");
                rows.Add(FiberMeasurement.Run(count, frames, run.Directory));
            }

            return ReportOf(rows, frames);
        });
    }

    private static ScenarioReport ReportOf(IReadOnlyList<FiberMeasurement> rows, int depth) =>
        ScenarioReport.Of(
            rows, s_columns,
            $"{depth} frames a fiber, one worker. open: the store is opened and the arena filled; restore: " +
            "until the first fiber goes on; unwind: until all have gone on and ended; memcpy: of what they " +
            "take in the arena.",
            new Plot(
                $"Fibers of {depth} frames, captured and resumed", new PlotAxis("fibers"),
                new PlotAxis("milliseconds"),
                [
                    .. PlotSeries.Group(
                        rows, _ => "pause", Count,
                        row => row.Checkpoint.Capture.Pause.Total.TotalMilliseconds),
                    .. PlotSeries.Group(rows, _ => "restore", Count, row => row.Restore.TotalMilliseconds),
                    .. PlotSeries.Group(rows, _ => "unwind", Count, row => row.Unwind.TotalMilliseconds),
                    .. PlotSeries.Group(
                        rows, _ => "memcpy", Count, row => row.Memcpy.TotalMilliseconds, isBaseline: true),
                ]));

    private static double Count(FiberMeasurement row) => row.Fibers;
}
