using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the restart scenario, and what it prints.</summary>
internal static class RestartCommand
{
    private static readonly IReadOnlyList<Column<RestartMeasurement>> s_columns =
    [
        new("arena MiB", null, row => row.ArenaBytes >> 20),
        new(null, "arenaBytes", row => row.ArenaBytes),
        new("images", "images", row => row.Images),
        new("fill", "fill", row => row.Times.Fill),
        new("from", null, row => row.IsWarm ? "page cache" : "disk"),
        new(null, "pageCache", row => row.IsWarm),
        new(null, "runtimeMs", row => row.Times.RuntimeMs),
        new("open ms", "openMs", row => row.Times.OpenMs),
        new(null, "firstReadMs", row => row.Times.FirstReadMs),
        new("first step ms", "firstStepMs", row => row.Times.FirstStepMs),
        new("from exec", "firstStepFromExecMs", row => row.Times.RuntimeMs + row.Times.FirstStepMs),
        new("resident ms", "residentMs", row => row.Times.ResidentMs),
        new("least", "residentLeastMs", row => row.ResidentMs.Least),
        new("most", "residentMostMs", row => row.ResidentMs.Most),
        new("faults", "faults", row => row.Times.Faults),
        new("GB/s", "residentGBs", row => row.GigabytesPerSecond),
        new("dd GB/s", "directReadGBs", row => row.DirectReadGigabytesPerSecond),
        new(
            "resident / dd", "residentOverDirectRead",
            row => row.GigabytesPerSecond / row.DirectReadGigabytesPerSecond),
        new("direct GB/s", "hugeReadGBs", row => row.HugeReadGigabytesPerSecond),
        new(
            "resident / direct", "residentOverHugeRead",
            row => row.GigabytesPerSecond / row.HugeReadGigabytesPerSecond),
        new("touch GB/s", "touchGBs", row => row.TouchGigabytesPerSecond),
    ];

    internal static BenchCommand Create()
    {
        Option<long[]> arena = SharedOptions.Arenas(1L << 30);
        Option<string[]> mode = SharedOptions.Several(
            "--mode", "When memory is read: before the session begins, or as it is touched; rows each.",
            "eager", "lazy");
        mode.AcceptOnlyFromAmong("eager", "lazy");
        Option<int> increments = SharedOptions.Number(
            "--increments", "Rows also with so many increments of a tenth of the pages at random.", 5, 0,
            100);
        Option<int> rounds = SharedOptions.Rounds("Restarts of each kind, of which the median is shown.", 3);
        return new BenchCommand(
            "restart",
            "How long until a restarted program does something useful, and until all its memory is there, " +
            "beside dd.",
            [arena, increments, rounds, mode], (result, run) =>
        {
            RestartFill[] fills =
                [.. result.GetValue(mode)!.Select(word => Enum.Parse<RestartFill>(word, ignoreCase: true))];
            return ReportOf(
            [
                .. result.GetValue(arena)!.SelectMany(size => RestartMeasurement.Run(
                    size, result.GetValue(increments), result.GetValue(rounds), fills, run)),
            ]);
        });
    }

    private static ScenarioReport ReportOf(IReadOnlyList<RestartMeasurement> rows) => ScenarioReport.Of(
        rows, s_columns,
        "Each restart in a process of its own; medians, by the time until all memory was there, with the " +
        "least and the most. Times are from the call that opens the session: until it is open, until a " +
        "participant had changed a value of a root and polled (the first useful instruction; from exec: " +
        "and before, from the start of the process), until all memory is there. images: a full one, and " +
        "increments of a tenth of the pages at random. dd: bs=4M iflag=direct of the full image; direct: " +
        "the same by all processors into huge pages; touch: first touch of as much memory in huge pages.",
        new Plot(
            "From opening the store after a restart, images on disk",
            new PlotAxis("arena, GiB"), new PlotAxis("milliseconds"),
            [
                .. PlotSeries.Group(
                    Cold(rows), row => $"{row.Times.Fill}: first step", Size, row => row.Times.FirstStepMs),
                .. PlotSeries.Group(
                    Cold(rows), row => $"{row.Times.Fill}: resident", Size, row => row.Times.ResidentMs),
                .. PlotSeries.Group(
                    Cold(rows).DistinctBy(row => row.ArenaBytes), _ => "dd of the image, direct", Size,
                    row => row.Times.Bytes / row.DirectReadGigabytesPerSecond / 1e6, isBaseline: true),
            ]));

    private static IEnumerable<RestartMeasurement> Cold(IEnumerable<RestartMeasurement> rows) =>
        rows.Where(row => !row.IsWarm && row.Images == 1);

    private static double Size(RestartMeasurement row) => row.ArenaBytes / (double)(1L << 30);
}
