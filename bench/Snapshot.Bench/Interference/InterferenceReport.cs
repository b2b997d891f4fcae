namespace Snapshot.Bench;

/// <summary>The rows of the interference scenario as a table, JSON and a plot.</summary>
internal static class InterferenceReport
{
    private static readonly IReadOnlyList<Column<InterferenceMeasurement>> s_columns =
    [
        new("computation", "computation", row => row.Setup.Computation),
        new(null, "arenaBytes", row => row.Setup.ArenaBytes),
        new(null, "threads", row => row.Setup.Threads),
        new(null, "everySeconds", row => row.Setup.Every.TotalSeconds),
        new("without s", "withoutSeconds", row => row.WithoutSeconds),
        new("with s", "withSeconds", row => row.WithSeconds),
        new("with / without", "withOverWithout", row => row.WithSeconds / row.WithoutSeconds),
        new("checkpoints", "checkpointsPerRun", row => row.CheckpointsPerRun),
        new("step ms", "stepMs", row => row.StepMs),
        new("cost ms", "costMsPerCheckpoint", row => row.CostMs),
        new("small pages ms", "smallPagesMsPerCheckpoint", row => row.SmallPagesMs),
        new("faults ms", "faultsMsPerCheckpoint", row => row.FaultsMs),
        new("pauses ms", "pauseMsPerCheckpoint", row => row.PauseMs),
        new("rest ms", "restMsPerCheckpoint", row => row.RestMs),
        new("memcpy ms", "memcpyMs", row => row.MemcpyMs),
        new("cost / memcpy", "costOverMemcpy", row => row.CostMs / row.MemcpyMs),
        new("cost ns / page", "costNsPerPage", row => row.CostMs * 1e6 / PagesTracked(row)),
        new("in kernel ms", "participantsSystemMsPerCheckpoint", row => row.SystemMs),
        new("others' CPU ms", "othersMsPerCheckpoint", row => row.OthersMs),
        new("drain ms", "drainMsMedian", row => Figures.Median(
            row.Checkpoints.Select(info => (info.Drain + info.Commit).TotalMilliseconds))),
    ];

    internal static ScenarioReport Of(IReadOnlyList<InterferenceMeasurement> rows)
    {
        IReadOnlyList<Column<InterferenceMeasurement>> capture =
            CaptureColumns.Of<InterferenceMeasurement>(row => row.Capture, row => row.Checkpoints);
        InterferenceSetup setup = rows[0].Setup;
        return new ScenarioReport
        {
            Tables =
            [
                TextTable.Of(rows, [s_columns[0], capture[0], .. s_columns.Skip(1)]),
                TextTable.Of(rows, [s_columns[0], .. capture]),
            ],
            Json = ScenarioReport.JsonOf(rows, [.. s_columns, .. capture]),
            Note =
                $"{Figures.Size(setup.ArenaBytes)} arena, {setup.Threads} threads, encoding " +
                $"{setup.Encoding}, a checkpoint every {setup.Every.TotalSeconds} s; medians, runs of each " +
                $"kind by turns: {rows[0].Without.Count}. All in ms is for one checkpoint. step: one that " +
                "no checkpoint overlaps with. cost: by how much those are longer together that a " +
                "checkpoint overlaps with, in the same run. small pages: what the smaller pages cost that " +
                "a checkpoint leaves behind, until the next; not in cost. faults: by how much the first " +
                "steps are longer when each first write is noticed and no checkpoint is taken. rest: what " +
                "is left of the cost, that is copies made while it runs, and what it shares with the " +
                "drain. memcpy: one thread copies the pages that a checkpoint finds written. in kernel: " +
                "more system time in the application's threads. others' CPU: more processor time in all " +
                "other threads. " +
                CaptureColumns.Note,
            Plots = [PlotOf(rows)],
        };
    }

    private static double PagesTracked(InterferenceMeasurement row) =>
        Figures.Median(row.Checkpoints.Select(info => (double)info.Capture.PagesTracked));

    /// <summary>Parts of each bar are what one checkpoint costs; noise below zero is not drawn.</summary>
    private static Plot PlotOf(IReadOnlyList<InterferenceMeasurement> rows)
    {
        InterferenceSetup setup = rows[0].Setup;
        return new Plot(
            $"Cost of one checkpoint to the application, {Figures.Size(setup.ArenaBytes)} arena, every " +
            $"{setup.Every.TotalSeconds} s",
            new PlotAxis("", [.. rows.Select(
                row => $"{row.Setup.Computation}, {CaptureColumns.ModeOf(row.Capture, row.Checkpoints)}")]),
            new PlotAxis("milliseconds of run time"),
            [
                Part("faults", row => row.FaultsMs),
                Part("pauses", row => row.PauseMs),
                Part("rest", row => row.RestMs),
                Part("memcpy of what was written", row => row.MemcpyMs, isBaseline: true),
            ]);

        PlotSeries Part(string name, Func<InterferenceMeasurement, double> value, bool isBaseline = false) =>
            new(
                name, [.. rows.Select((row, index) => ((double)index, Math.Max(0, value(row))))], isBaseline);
    }
}
