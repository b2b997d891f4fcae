using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the bytes scenario, and what it prints.</summary>
internal static class DiskUseCommand
{
    private static readonly IReadOnlyList<Column<DiskUseMeasurement>> s_columns =
    [
        new("dirty %", "dirtyPercent", row => row.Setup.DirtyPercent),
        new("mode", "mode", row => row.Setup.Capture.ToString()),
        new("keep", "keepLast", row => row.Setup.KeepLast),
        new(null, "arenaBytes", row => row.Setup.ArenaBytes),
        new("state MiB", null, row => Figures.Mebibytes(row.FullBytes)),
        new(null, "stateBytes", row => row.FullBytes),
        new(null, "peakBytes", row => row.PeakBytes),
        new("peak / state", "peakOverState", row => (double)row.PeakBytes / row.FullBytes),
        new(null, "endBytes", row => row.EndBytes),
        new("end / state", "endOverState", row => (double)row.EndBytes / row.FullBytes),
        new("written / state", "writtenOverState", row => row.WrittenMean / row.FullBytes),
        new("full images", "fullImages", row => row.FullImages),
        new("commit ms", "commitMs", row => row.CommitMs),
    ];

    internal static BenchCommand Create()
    {
        Option<long> arena = SharedOptions.Arena(256L << 20);
        Option<double[]> dirty = SharedOptions
            .Several(
                "--dirty", "Percent of the pages rewritten before each checkpoint; a row each.", 100.0, 1)
            .RequireEach(value => value is > 0 and <= 100, "more than 0 and at most 100");
        Option<int> keep = SharedOptions.Number("--keep", "Generations kept.", 2, 1, 1000);
        Option<string[]> mode = SharedOptions.Modes("auto");
        Option<int> rounds = SharedOptions.Rounds("Checkpoints, after the first one.", 100);
        return new BenchCommand(
            "bytes", "What a store takes on disk over many checkpoints, beside the size of the state.",
            [arena, dirty, keep, mode, rounds], (result, run) =>
        {
            List<DiskUseMeasurement> rows = [];
            foreach (string word in result.GetValue(mode)!)
            {
                foreach (double percent in result.GetValue(dirty)!)
                {
                    run.Say($"{word}, {percent} %");
                    rows.Add(DiskUseMeasurement.Run(new DiskUseSetup
                    {
                        ArenaBytes = result.GetValue(arena),
                        DirtyPercent = percent,
                        Rounds = result.GetValue(rounds),
                        KeepLast = result.GetValue(keep),
                        Capture = SharedOptions.ParseMode(word),
                        Directory = run.Directory,
                    }));
                }
            }

            return ReportOf(rows, result.GetValue(rounds));
        });
    }

    private static ScenarioReport ReportOf(IReadOnlyList<DiskUseMeasurement> rows, int rounds) =>
        ScenarioReport.Of(
            rows, s_columns,
            $"{rounds} checkpoints of noise. state: the largest full image. peak: all files of the store, " +
            "also while an image is written, looked at every 2 ms and when each image is complete. end: " +
            "when the session has closed. written: by a checkpoint, mean; compaction is beside it. commit: " +
            "from the end of the pause to the commit, median.",
            new Plot(
                "All files of a store", new PlotAxis("percent rewritten"), new PlotAxis("times the state"),
                [
                    .. PlotSeries.Group(
                        rows, row => $"peak: {row.Setup.Capture}", row => row.Setup.DirtyPercent,
                        row => (double)row.PeakBytes / row.FullBytes),
                    .. PlotSeries.Group(
                        rows, row => $"end: {row.Setup.Capture}", row => row.Setup.DirtyPercent,
                        row => (double)row.EndBytes / row.FullBytes),
                ]));
}
