using System.Globalization;

namespace Snapshot.Bench;

/// <summary>A job of so many ranks with such levels, and its lives.</summary>
internal sealed record SimulationRow(int Ranks, string Levels, SimulationRuns Runs)
{
    internal SimulatedJob Job => Runs.Job;

    internal double FirstOrder =>
        CheckpointFormulas.FirstOrder(Job.Interval, Job.Felt, Job.RestartMean, Job.Mtbf);

    internal double Exact => CheckpointFormulas.Exact(Job.Interval, Job.Felt, Job.RestartMean, Job.Mtbf);
}

/// <summary>The rows of the simulation as a table, JSON and plots.</summary>
internal static class SimulationReport
{
    private static readonly IReadOnlyList<Column<SimulationRow>> s_columns =
    [
        new("ranks", "ranks", row => row.Ranks),
        new("levels", "levels", row => row.Levels),
        new("MTBF h", "mtbfHours", row => row.Job.Mtbf / 3600),
        new("interval s", "intervalSeconds", row => row.Job.Interval),
        new("Young's", "youngSeconds", row => CheckpointFormulas.Young(row.Job.Felt, row.Job.Mtbf)),
        new("Daly's", "dalySeconds", row => CheckpointFormulas.Daly(row.Job.Felt, row.Job.Mtbf)),
        .. Percent("computes %", "computes", row => row.Runs.Computes),
        .. Percent("±", "computesError", row => row.Runs.ComputesError),
        .. Percent("Young %", "young", row => row.FirstOrder),
        .. Percent("Daly %", "daly", row => row.Exact),
        new("ended %", null, row => 100 * row.Runs.EndedShare),
        new(null, "ended", row => row.Runs.EndedShare),
        new("failures", "failuresPerRun", row => row.Runs.Mean(times => times.Failures)),
        new("checkpoints", "checkpointsPerRun", row => row.Runs.Mean(times => times.Checkpoints)),
        .. Share("felt %", "felt", times => times.Felt),
        .. Share("restart %", "restart", times => times.Restart),
        .. Share("waiting %", "waiting", times => times.Waiting),
        .. Share("lost: own %", "lostOwn", times => times.Lost(RestartSource.Own)),
        .. Share("partner %", "lostPartner", times => times.Lost(RestartSource.Partner)),
        .. Share("shared %", "lostShared", times => times.Lost(RestartSource.Shared)),
        .. Share("beginning %", "lostBeginning", times => times.Lost(RestartSource.Beginning)),
        new(
            "to shared", "restartsSharedPerRun",
            row => row.Runs.Mean(times => times.Restarts(RestartSource.Shared))),
        new(
            "to beginning", "restartsBeginningPerRun",
            row => row.Runs.Mean(times => times.Restarts(RestartSource.Beginning))),
    ];

    internal static ScenarioReport Of(IReadOnlyList<SimulationRow> rows) => ScenarioReport.Of(
        rows, s_columns,
        "Simulated, not measured; the costs are those of the command line, and what is not said there is " +
        "assumed. computes: the part of the time that computes what is not lost, with half of its 95 % " +
        "interval. Young, Daly: what the formulas say at the same interval (a failure costs half of it and " +
        "a restart; the same exactly), where nothing is ever lost and a generation counts when the program " +
        "goes on. ended: jobs that were not given up. felt, restart, waiting (for hosts, and for the last " +
        "generation) and lost are parts of the time; lost by where the restart was from: the beginning, " +
        "where no level had a generation. to shared, to beginning: such restarts in a run.",
        new Plot(
            "What fraction of the machine computes", new PlotAxis("ranks"),
            new PlotAxis("percent of the time"),
            [
                .. PlotSeries.Group(
                    rows, row => row.Levels, row => row.Ranks, row => 100 * row.Runs.Computes),
                .. PlotSeries.Group(
                    rows.Where(row => row.Levels == rows[^1].Levels), row => $"Daly: {row.Levels}",
                    row => row.Ranks, row => 100 * row.Exact, isBaseline: true),
            ]));

    private static IEnumerable<Column<SimulationRow>> Share(
        string heading, string name, Func<SimulatedTimes, double> figure) =>
        Percent(heading, name, row => row.Runs.Share(figure));

    /// <summary>A fraction in JSON, percent with two digits in tables: what is lost is small.</summary>
    private static IEnumerable<Column<SimulationRow>> Percent(
        string heading, string name, Func<SimulationRow, double> fraction) =>
    [
        new(heading, null, row => (100 * fraction(row)).ToString("F2", CultureInfo.InvariantCulture)),
        new(null, name, row => fraction(row)),
    ];
}
