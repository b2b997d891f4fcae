using System.Text.Json.Nodes;

namespace Snapshot.Bench;

/// <summary>The rows of every axis, and how each figure grows along it.</summary>
internal static class ScaleReport
{
    private static readonly IReadOnlyList<Column<ScaleRow>> s_figures =
    [
        new("pause ms", "pauseMs", row => row.Pause(pause => pause.Total)),
        new("gather", "gatherMs", row => row.Pause(pause => pause.Gather)),
        new("collect", "collectMs", row => row.Pause(pause => pause.Collect)),
        new("copy", "copyMs", row => row.Pause(pause => pause.Copy)),
        new("prepare ms", "prepareMs", row => row.Median(info => info.Capture.Prepare.TotalMilliseconds)),
        new("drain ms", "drainMs", row => row.Median(info => info.Drain.TotalMilliseconds)),
        new("processor ms", "processorMs", row => row.Median(info => info.ProcessorTime.TotalMilliseconds)),
        new("written MiB", "writtenMiB", row => row.Median(info => info.BytesWritten / 1048576.0)),
        new("ns / first write", "nsPerFirstWrite", row => row.Measured.FirstWriteNs),
    ];

    private static readonly IReadOnlyList<Column<ScaleRow>> s_rows =
    [
        new("varied", "varied", row => row.Axis.Name),
        new("memory GiB", "memoryGiB", row => ScaleAxis.Memory.Of(row.Measured.Setup)),
        new("threads", "threads", row => row.Measured.Setup.Threads),
        new("arenas", "arenas", row => row.Measured.Setup.Arenas),
        new("mode", "mode", row => row.Measured.Checkpoints[^1].Capture.Mode.ToString()),
        .. s_figures,
    ];

    internal static ScenarioReport Of(IReadOnlyList<ScaleRow> rows)
    {
        CrowdSetup setup = rows[0].Measured.Setup;
        IGrouping<ScaleAxis, ScaleRow>[] axes = [.. rows.GroupBy(row => row.Axis)];
        IReadOnlyList<Column<IGrouping<ScaleAxis, ScaleRow>>> exponents =
        [
            new("grows with", "with", axis => axis.Key.Name),
            .. s_figures.Select(figure => new Column<IGrouping<ScaleAxis, ScaleRow>>(
                figure.Heading, figure.Name, axis => GrowthOf(axis, figure)?.Exponent)),
        ];
        IReadOnlyList<Column<IGrouping<ScaleAxis, ScaleRow>>> carried =
        [
            new("carried to", "to", axis => $"{Figures.Text(axis.Key.Far)} {axis.Key.Name}"),
            .. s_figures.Select(figure => new Column<IGrouping<ScaleAxis, ScaleRow>>(
                figure.Heading, figure.Name, axis => Carried(axis, figure))),
        ];
        return new ScenarioReport
        {
            Tables = [TextTable.Of(rows, s_rows), TextTable.Of(axes, exponents), TextTable.Of(axes, carried)],
            Json = new JsonObject
            {
                ["rows"] = ScenarioReport.JsonOf(rows, s_rows),
                ["exponents"] = ScenarioReport.JsonOf(axes, exponents),
                ["carried"] = ScenarioReport.JsonOf(axes, carried),
            },
            Note =
                $"{setup.DirtyPercent} % {(setup.IsDense ? PagePattern.Dense : PagePattern.Random)}, " +
                $"medians of {setup.Rounds}; {Environment.ProcessorCount} processors; encoding None. " +
                "gather, collect and copy are parts of the pause; processor: of the library's threads. " +
                "Second table: by which power of the quantity a figure grows, 0 for not at all and 1 for " +
                "in proportion, by least squares of the logarithms; the percentage stays, so what is " +
                "written grows with memory. Third: the same line carried to where nobody measured, an " +
                "indication and no promise, for what grows at all.",
            Plots =
            [
                .. axes.Where(axis => axis.Count() > 1).Select(axis => new Plot(
                    $"Pause by {axis.Key.Name}", new PlotAxis(axis.Key.Name),
                    new PlotAxis("milliseconds, median"),
                    [
                        .. Line(axis, "pause", pause => pause.Total),
                        .. Line(axis, "gather", pause => pause.Gather),
                        .. Line(axis, "collect", pause => pause.Collect),
                    ])),
            ],
        };
    }

    private static IEnumerable<PlotSeries> Line(
        IEnumerable<ScaleRow> axis, string name, Func<PauseInfo, TimeSpan> part) =>
        PlotSeries.Group(axis, _ => name, row => row.Quantity, row => row.Pause(part));

    /// <summary>Null where it does not grow: a line that falls says nothing of what is far.</summary>
    private static double? Carried(IGrouping<ScaleAxis, ScaleRow> axis, Column<ScaleRow> figure) =>
        GrowthOf(axis, figure) is { Exponent: >= 0 } growth ? growth.At(axis.Key.Far) : null;

    private static Growth? GrowthOf(IEnumerable<ScaleRow> axis, Column<ScaleRow> figure) =>
        Growth.Of(axis.Select(row => (row.Quantity, (double)figure.Value(row)!)));
}
