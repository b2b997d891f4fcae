using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the foreign scenario, and what it prints.</summary>
internal static class ForeignCommand
{
    private static readonly IReadOnlyList<Column<ForeignMeasurement>> s_columns =
    [
        new("memory", null, row => Figures.Size(row.Setup.Bytes)),
        new(null, "memoryBytes", row => row.Setup.Bytes),
        new("pattern", "pattern", PatternOf),
        new("offset", "offset", row => row.Setup.Offset),
        new("tracking", "tracking", row => row.Tracking.ToString()),
        new("call / hashed", "callOverHashed", row => row.Call / row.HashedCallMs),
        new("call ms", "callMs", row => row.Call),
        new("pause ms", "pauseMs", row => row.OfPause(pause => pause.Total)),
        new("collect", "collectMs", row => row.OfPause(pause => pause.Collect)),
        new("copy", "copyMs", row => row.OfPause(pause => pause.Copy)),
        new("writes ms", "writesMs", row => Figures.Median(row.WritesMs)),
        new("found", "pagesFound", row => row.PagesTracked),
        new("written", "pagesWritten", row => row.PagesWritten),
    ];

    internal static BenchCommand Create()
    {
        Option<long> memory = SharedOptions.Memory(1L << 30);
        Option<string[]> pattern = SharedOptions.Several(
            "--pattern", "Which pages: one dense range, or random ones; rows each.", PagePattern.Random,
            PagePattern.Dense);
        pattern.AcceptOnlyFromAmong(PagePattern.Dense, PagePattern.Random);
        Option<int[]> offset = SharedOptions
            .Several("--offset", "Where in a page the memory begins; malloc's is 16. Rows each.", 0, 16)
            .RequireEach(value => value is >= 0 and < 4096 && value % 16 == 0, "0 to 4080, in steps of 16");
        Option<double> dirty = SharedOptions.DirtyPercent(10);
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured, after the full one.", 5);
        return new BenchCommand(
            "foreign",
            "How long the call takes that captures memory Snapshot did not allocate, beside hashing all of " +
            "it.",
            [memory, pattern, offset, dirty, rounds], (result, run) =>
        {
            ForeignSetup[] setups = [.. result.GetValue(pattern)!
                .SelectMany(_ => result.GetValue(offset)!, (word, at) => (word, at))
                .SelectMany(_ => (bool[])[false, true], (cell, hashed) => new ForeignSetup
                {
                    Bytes = result.GetValue(memory),
                    Offset = cell.at,
                    IsDense = cell.word == PagePattern.Dense,
                    DirtyPercent = result.GetValue(dirty),
                    IsHashed = hashed,
                    Rounds = result.GetValue(rounds),
                    Directory = run.Directory,
                })];
            return ReportOf(ForeignMeasurement.RunAll(setups, run));
        });
    }

    private static ScenarioReport ReportOf(IReadOnlyList<ForeignMeasurement> rows) => ScenarioReport.Of(
        rows, s_columns,
        $"{Figures.Text(rows[0].Setup.DirtyPercent)} % of the pages written, a word each; medians of " +
        $"{rows[0].Rounds.Count} checkpoints. call: from the request until the memory is captured, and the " +
        "program may go on. hashed: the same where what changed is found by hashing everything. offset: " +
        "where in a page the memory begins; where that is not 0, a written page of it is in two of the " +
        "image. writes ms: what the program's own writes took, with their faults, between two checkpoints. " +
        "found: pages that tracking reports. written: pages of all increments; the same in both " +
        "ways, or this would have failed.",
        new Plot(
            "Until memory of the program is captured", new PlotAxis("bytes into a page"),
            new PlotAxis("milliseconds, median"),
            [
                .. PlotSeries.Group(
                    rows, row => $"{row.Tracking}, {PatternOf(row)}", row => row.Setup.Offset,
                    row => row.Call),
            ]));

    private static string PatternOf(ForeignMeasurement row) =>
        row.Setup.IsDense ? PagePattern.Dense : PagePattern.Random;
}
