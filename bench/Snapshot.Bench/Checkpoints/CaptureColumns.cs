namespace Snapshot.Bench;

/// <summary>The figures that the library gives for captures; the one place to add a new one.</summary>
internal static class CaptureColumns
{
    /// <summary>Medians over the checkpoints of a row.</summary>
    internal static IReadOnlyList<Column<TRow>> Of<TRow>(Func<TRow, IReadOnlyList<SnapshotInfo>> checkpoints)
    {
        return
        [
            new("mode", "mode", row => Last(row).Capture.Mode.ToString()),
            new(null, "modeReason", row => Last(row).Capture.ModeReason),
            new("pause ms", "pauseMsMedian", row => Median(row, pause => pause.Total)),
            new("longest", "pauseMsMax", row => Max(row)),
            new("gather", "gatherMsMedian", row => Median(row, pause => pause.Gather)),
            new("collect", "collectMsMedian", row => Median(row, pause => pause.Collect)),
            new("copy", "copyMsMedian", row => Median(row, pause => pause.Copy)),
            new("release", "releaseMsMedian", row => Median(row, pause => pause.Release)),
            new(null, "pagesTracked", row => Last(row).Capture.PagesTracked),
            new(null, "prepareMsMedian", row => Figures.Median(
                checkpoints(row).Select(info => info.Capture.Prepare.TotalMilliseconds))),
        ];

        SnapshotInfo Last(TRow row) => checkpoints(row)[^1];

        double Median(TRow row, Func<PauseInfo, TimeSpan> part) =>
            Figures.Median(checkpoints(row).Select(info => part(info.Capture.Pause).TotalMilliseconds));

        double Max(TRow row) => checkpoints(row).Max(info => info.Capture.Pause.Total.TotalMilliseconds);
    }
}
