namespace Snapshot.Bench;

/// <summary>The figures that the library gives for captures; the one place to add a new one.</summary>
internal static class CaptureColumns
{
    /// <summary>What the headings of <see cref="Of"/> mean that say less than a sentence.</summary>
    internal const string Note =
        "collect, copy and the like are parts of the pause. Copy-on-write, from one commit to the next: " +
        "faults, writes that waited until memory was opened for them; copied, pages that the drain had not " +
        "come to yet; copying, the time that took; waiting, of writes for the drain to return memory for " +
        "copies. ";

    /// <summary>
    /// The mode that was asked for, and where that left a choice, the one that the last checkpoint used.
    /// </summary>
    internal static string ModeOf(CaptureMode asked, IReadOnlyList<SnapshotInfo> checkpoints) =>
        asked == CaptureMode.Auto ? $"{asked}: {checkpoints[^1].Capture.Mode}" : asked.ToString();

    /// <summary>Medians over the checkpoints of a row.</summary>
    internal static IReadOnlyList<Column<TRow>> Of<TRow>(
        Func<TRow, CaptureMode> asked, Func<TRow, IReadOnlyList<SnapshotInfo>> checkpoints)
    {
        return
        [
            new("mode", null, row => ModeOf(asked(row), checkpoints(row))),
            new(null, "modeAsked", row => asked(row).ToString()),
            new(null, "mode", row => checkpoints(row)[^1].Capture.Mode.ToString()),
            new(null, "modeReason", row => checkpoints(row)[^1].Capture.ModeReason),
            new("pause ms", "pauseMsMedian", row => OfPause(row, pause => pause.Total)),
            new("shortest", "pauseMsMin", row => checkpoints(row)
                .Min(info => info.Capture.Pause.Total.TotalMilliseconds)),
            new("longest", "pauseMsMax", row => checkpoints(row)
                .Max(info => info.Capture.Pause.Total.TotalMilliseconds)),
            new("gather", "gatherMsMedian", row => OfPause(row, pause => pause.Gather)),
            new("collect", "collectMsMedian", row => OfPause(row, pause => pause.Collect)),
            new("copy", "copyMsMedian", row => OfPause(row, pause => pause.Copy)),
            new("release", "releaseMsMedian", row => OfPause(row, pause => pause.Release)),
            new(null, "pagesTracked", row => Median(row, info => info.Capture.PagesTracked)),
            new(null, "prepareMsMedian", row => Median(row, info => info.Capture.Prepare.TotalMilliseconds)),
            new("faults", "faults", row => OfCopyOnWrite(row, served => served.Faults)),
            new(null, "pagesOpenedAhead", row => OfCopyOnWrite(row, served => served.PagesOpenedAhead)),
            new("copied", "pagesCopiedOnWrite", row => OfCopyOnWrite(row, served => served.PagesCopied)),
            new("copying ms", "copyingMs", row =>
                OfCopyOnWrite(row, served => served.Copying.TotalMilliseconds)),
            new(null, "waits", row => OfCopyOnWrite(row, served => served.Waits)),
            new("waiting ms", "waitingMs", row =>
                OfCopyOnWrite(row, served => served.Waiting.TotalMilliseconds)),
        ];

        double Median(TRow row, Func<SnapshotInfo, double> figure) =>
            Figures.Median(checkpoints(row).Select(figure));

        double OfPause(TRow row, Func<PauseInfo, TimeSpan> part) =>
            Median(row, info => part(info.Capture.Pause).TotalMilliseconds);

        double OfCopyOnWrite(TRow row, Func<CopyOnWriteInfo, double> figure) => Figures.Median(
            checkpoints(row).Select(info => info.CopyOnWrite).OfType<CopyOnWriteInfo>().Select(figure));
    }
}
