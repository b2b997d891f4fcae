namespace Snapshot.Bench;

/// <summary>The rows of the crowd scenario as a table, JSON and plots.</summary>
internal static class CrowdReport
{
    private static readonly IReadOnlyList<Column<CrowdMeasurement>> s_columns =
    [
        new("threads", "threads", row => row.Setup.Threads),
        new("arenas", "arenas", row => row.Setup.Arenas),
        new(null, "arenaBytes", row => row.Setup.ArenaBytes),
        new("first writes", "firstWrites", row => row.Setup.Writes),
        new("ns / first write", "nsPerFirstWrite", row => row.FirstWriteNs),
        new(
            "to the smallest", "nsPerFirstWriteOverSmallest",
            row => row.FirstWriteNs / row.Smallest?.FirstWriteNs),
    ];

    internal static ScenarioReport Of(IReadOnlyList<CrowdMeasurement> rows)
    {
        CrowdSetup setup = rows[0].Setup;
        string pattern = setup.IsDense ? PagePattern.Dense : PagePattern.Random;
        return ScenarioReport.Of(
            rows,
            [.. s_columns,
                .. CaptureColumns.Of<CrowdMeasurement>(row => row.Setup.Capture, row => row.Checkpoints)],
            $"{Figures.Size(setup.ArenaBytes)} in all arenas, {setup.DirtyPercent} % {pattern}, medians of " +
            $"{setup.Rounds}; {Environment.ProcessorCount} processors. first write: what the first write " +
            "to a page after a checkpoint takes longer than the next one, as time of the processors that " +
            "the threads have, whether they work or wait. to the smallest: beside the same with the fewest " +
            "threads and arenas. Threads poll and yield between rounds. " +
            CaptureColumns.Note,
            new Plot(
                "First write to a page after a checkpoint", new PlotAxis("threads"),
                new PlotAxis("nanoseconds, median"),
                [.. PlotSeries.Group(rows, SeriesName, Threads, row => row.FirstWriteNs)]),
            new Plot(
                "Pause, and the gathering of all threads in it", new PlotAxis("threads"),
                new PlotAxis("milliseconds, median"),
                [
                    .. PlotSeries.Group(rows, SeriesName, Threads, row => row.PauseMs),
                    .. PlotSeries.Group(
                        rows.Where(row => row.Setup.Capture == setup.Capture),
                        row => $"gather: {SeriesName(row)}",
                        Threads, row => row.GatherMs, isBaseline: true),
                ]));
    }

    private static string SeriesName(CrowdMeasurement row) =>
        $"{row.Setup.Capture}, {row.Setup.Arenas} arena{(row.Setup.Arenas == 1 ? "" : "s")}";

    private static double Threads(CrowdMeasurement row) => row.Setup.Threads;
}
