using System.CommandLine;
using System.Globalization;
using HeatRanks;

namespace Snapshot.Bench;

/// <summary>The command line of the lives scenario, and its table.</summary>
internal static class LivesCommand
{
    private static readonly IReadOnlyList<Column<LivesMeasurement>> s_columns =
    [
        new("MPI", "mpi", row => row.Setup.Mpi),
        new("ranks", "ranks", row => row.Setup.Ranks),
        new("lives", "lives", row => row.Setup.Lives),
        new("kills", "kills", row => row.Kills),
        new("work s", "workSeconds", row => row.Work),
        new("felt ms", "feltMs", row => 1000 * row.Simulated.Job.Felt),
        new("published ms", "publishedMs", row => 1000 * row.Simulated.Job.Publish),
        new("start s", "startSeconds", row => row.Simulated.Job.RestartOwn),
        .. Percent("measured %", "measured", row => row.Computes),
        .. Percent("simulated %", "simulated", row => row.Simulated.Computes),
        .. Percent("±", "spread", row => row.Spread),
        .. Percent("Daly %", "daly", row => CheckpointFormulas.Exact(
            row.Setup.Interval, row.Simulated.Job.Felt, row.Simulated.Job.RestartOwn, row.Setup.Mtbf)),
        new("simulated kills", "simulatedKills", row =>
            row.Setup.Lives * row.Simulated.Mean(times => times.Failures)),
    ];

    internal static BenchCommand Create()
    {
        Option<string[]> mpi = SharedOptions.Several(
            "--mpi", "Families of MPI; rows each.", MpiCommands.Families);
        mpi.AcceptOnlyFromAmong(MpiCommands.Families);
        Option<int[]> ranks = SharedOptions.Several("--ranks", "Ranks of the job; rows each.", 4)
            .RequireEach(count => count is >= 1 and <= 64, "1 to 64");
        Option<long> state = SharedOptions.Memory(64L << 20);
        state.Description = "The state of all ranks together: bytes, or with KiB, MiB, GiB.";
        Option<double> work = Seconds("--work", "Seconds that a job computes, about.", 60);
        Option<double> mtbf = Seconds("--mtbf", "Seconds between kills, at a mean.", 20);
        Option<double> interval = Seconds("--interval", "Seconds between checkpoints.", 3);
        Option<int> lives = SharedOptions.Number("--lives", "Jobs, one after the other.", 3, 1, 1000);
        Option<int> seed = SharedOptions.Number("--seed", "Of the kills.", 1, 0, int.MaxValue);
        return new BenchCommand(
            "lives", "What of the time of real ranks computes that are killed, beside their simulation.",
            [mpi, ranks, state, work, mtbf, interval, lives, seed], (result, run) => Report(
            [
                .. from family in result.GetValue(mpi)!
                   from count in result.GetValue(ranks)!
                   let setup = new LivesSetup(family, count, result.GetValue(state))
                   {
                       Work = result.GetValue(work),
                       Mtbf = result.GetValue(mtbf),
                       Interval = result.GetValue(interval),
                       Lives = result.GetValue(lives),
                       Seed = result.GetValue(seed),
                   }
                   select LivesMeasurement.Run(setup, run),
            ]));
    }

    private static ScenarioReport Report(IReadOnlyList<LivesMeasurement> rows)
    {
        LivesSetup setup = rows[0].Setup;
        return ScenarioReport.Of(
            rows, s_columns,
            $"{Figures.Size(setup.StateBytes)} in all ranks together, killed all at once after " +
            $"{Figures.Text(setup.Mtbf)} s at a mean, a checkpoint every {Figures.Text(setup.Interval)} s; " +
            $"{Environment.ProcessorCount} processors. work: of the steps undisturbed. felt and published " +
            "are medians of checkpoints in a job before, start that from a kill to the next step. " +
            "measured: work over the time of all lives, each from its first step to its published end; " +
            "each step also sleeps 10 ms, so that the ranks have a processor each. simulated: with " +
            "those costs, and the part around it in which 95 % of so many lives are. Daly: his formula " +
            "with the same. simulated kills: in as many lives.");
    }

    private static Option<double> Seconds(string name, string description, double value) =>
        new Option<double>(name) { Description = description, DefaultValueFactory = _ => value }
            .Require(seconds => seconds is > 0 and < 1e6, "more than 0");

    private static IEnumerable<Column<LivesMeasurement>> Percent(
        string heading, string name, Func<LivesMeasurement, double> fraction) =>
    [
        new(heading, null, row => (100 * fraction(row)).ToString("F1", CultureInfo.InvariantCulture)),
        new(null, name, row => fraction(row)),
    ];
}
