using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the tracking scenario, and what it prints.</summary>
internal static class TrackingCommand
{
    private const string Huge = "huge", Small = "small";

    /// <summary>Mechanisms that a session can be asked for explicitly, as they are typed.</summary>
    private static readonly string[] s_mechanisms =
    [
        .. ((TrackingMechanism[])
            [TrackingMechanism.WriteProtect, TrackingMechanism.SoftDirty, TrackingMechanism.ContentHash])
            .Select(mechanism => SharedOptions.ToWord(mechanism.ToString())),
    ];

    private static readonly IReadOnlyList<Column<TrackingMeasurement>> s_columns =
    [
        new("arena", null, row => Figures.Size(row.Setup.ArenaBytes)),
        new(null, "arenaBytes", row => row.Setup.ArenaBytes),
        new("pages", "pages", PagesOf),
        new("tracking", "tracking", row => row.Setup.Mechanism.ToString()),
        new("pause / memset", "pauseOverMemset", row => row.PauseMs / row.MemsetMs),
        new("pause / content hash", "pauseOverContentHash", row => row.PauseMs / row.HashPauseMs),
        new("pause ms", "pauseMs", row => row.PauseMs),
        new("collect", "collectMs", row => row.CollectMs),
        new("copy", "copyMs", row => row.CopyMs),
        new("memset ms", "memsetMs", row => row.MemsetMs),
        new("found", "pagesFound", row => row.PagesTracked),
        new("written", "pagesWritten", row => row.PagesWritten),
        new("huge pages %", "hugePagesPercent", row => row.HugePagesPercent),
    ];

    internal static BenchCommand Create()
    {
        Option<long[]> arena = SharedOptions.Arenas(1L << 30);
        Option<string[]> pages =
            SharedOptions.Several("--pages", "What the arena asks for; a row each.", Small, Huge);
        Option<string[]> mechanism = SharedOptions.Several<string>(
            "--tracking",
            "What finds the pages that were written; a row each. Default: whatever works here.");
        mechanism.DefaultValueFactory = _ => Usable();
        Option<double> dirty = new Option<double>("--dirty")
        {
            Description =
                "Percent of the pages, at random, of which a word is written before each checkpoint.",
            DefaultValueFactory = _ => 1,
        }.Require(value => value is > 0 and <= 100, "more than 0 and at most 100");
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured, after the full one.", 5);
        pages.AcceptOnlyFromAmong(Small, Huge);
        mechanism.AcceptOnlyFromAmong(s_mechanisms);
        return new BenchCommand(
            "tracking",
            "What it takes to find the pages that were written, beside a memset of all the memory.",
            [arena, pages, mechanism, dirty, rounds], (result, run) =>
        {
            TrackingSetup[] setups = [.. result.GetValue(arena)!
                .SelectMany(_ => result.GetValue(pages)!, (bytes, kind) => (bytes, kind))
                .SelectMany(_ => result.GetValue(mechanism)!, (cell, word) => new TrackingSetup
                {
                    Mechanism = Enum.Parse<TrackingMechanism>(word, ignoreCase: true),
                    ArenaBytes = cell.bytes,
                    IsHuge = cell.kind == Huge,
                    DirtyPercent = result.GetValue(dirty),
                    Rounds = result.GetValue(rounds),
                    Directory = run.Directory,
                })];
            return ReportOf(TrackingMeasurement.RunAll(setups, run));
        });
    }

    /// <summary>Those that work here.</summary>
    private static string[] Usable()
    {
        MachineCapabilities here = MachineCapabilities.Current;
        return [.. s_mechanisms.Where(word => word switch
        {
            "writeprotect" => here[Capability.WriteTracking],
            "softdirty" => here[Capability.SoftDirty],
            _ => true,
        })];
    }

    private static ScenarioReport ReportOf(IReadOnlyList<TrackingMeasurement> rows) => ScenarioReport.Of(
        rows, s_columns,
        $"{Figures.Text(rows[0].Setup.DirtyPercent)} % of the pages written, a word each, at random; one " +
        $"thread; medians of {rows[0].Rounds.Count} checkpoints that copy inside the pause. collect and " +
        "copy are parts of the pause: finding the pages, and copying them. memset: one thread fills all " +
        "the memory. found: pages that the mechanism reports, before their content is compared, median. " +
        "written: pages of all increments; the same for each mechanism, or this would have failed. huge " +
        "pages: how much of the arena is still in them at the end.",
        new Plot(
            "Pause by what finds the pages", new PlotAxis("arena, MiB"), new PlotAxis("milliseconds, median"),
            [
                .. PlotSeries.Group(
                    rows, row => $"{row.Setup.Mechanism}, {PagesOf(row)}", Mebibytes, row => row.PauseMs),
                .. PlotSeries.Group(
                    rows.DistinctBy(row => row.Setup.Memory), row => $"memset, {PagesOf(row)}", Mebibytes,
                    row => row.MemsetMs, isBaseline: true),
            ]));

    private static string PagesOf(TrackingMeasurement row) => row.Setup.IsHuge ? Huge : Small;

    private static double Mebibytes(TrackingMeasurement row) => row.Setup.ArenaBytes / 1048576.0;
}
