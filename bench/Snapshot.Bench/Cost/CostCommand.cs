using System.CommandLine;
using System.Text.Json.Nodes;

namespace Snapshot.Bench;

/// <summary>The command line of the cost scenario, and what it prints.</summary>
internal static class CostCommand
{
    private static readonly IReadOnlyList<Column<CostMeasurement>> s_columns =
    [
        new("saved by", "name", row => row.Name),
        new("computed s", "seconds", row => row.Seconds),
        new("longer by s", "lostSeconds", row => row.LostSeconds),
        new("first ms", "lostMsFirst", row => row.LostMsFirst),
        new("increment ms", "lostMsPerIncrement", row => row.LostMsPerIncrement),
        new("longest gap ms", "longestGapMs", row => row.LongestGapMs),
        new("pause ms", "pauseMsMedian", row => row.PauseMsMedian),
        new("processor s", "processorSeconds", row => row.ProcessorSeconds),
        new("s / GiB", "processorSecondsPerGiB", row => row.ProcessorSecondsPerGiB),
        new("written MiB", "writtenMiB", row => row.BytesWritten / (1 << 20)),
        new("gap min", "longestGapMsMin", row => row.Runs.Min(run => run.LongestGapMs)),
        new("gap max", "longestGapMsMax", row => row.Runs.Max(run => run.LongestGapMs)),
        new("s min", "secondsMin", row => row.Runs.Min(run => run.Seconds)),
        new("s max", "secondsMax", row => row.Runs.Max(run => run.Seconds)),
    ];

    internal static BenchCommand Create()
    {
        Option<long> arena = SharedOptions.Arena(1L << 30);
        Option<int> threads = SharedOptions.Threads(Environment.ProcessorCount);
        Option<int> checkpoints = SharedOptions.Number(
            "--checkpoints", "How many are taken, the first of everything.", 6, 2, 1000);
        Option<double> dirty = new Option<double>("--dirty")
        {
            Description = "Percent of the pages that are rewritten, at random, between two checkpoints.",
            DefaultValueFactory = _ => 10,
        }.Require(value => value is > 0 and <= 100, "more than 0, at most 100");
        Option<double> epoch = new Option<double>("--epoch")
        {
            Description = "Seconds of computation between two checkpoints.",
            DefaultValueFactory = _ => 1,
        }.Require(value => value is >= 0.01 and <= 3600, "0.01 to 3600");
        Option<int> rounds = SharedOptions.Rounds("Runs of each kind, by turns.", 3);
        Option<bool> alone = new("--alone")
        {
            Description = "Leave out the fork and the writes of everything.",
        };
        Option<string> encoding = new("--encoding")
        {
            Description = "How blocks are encoded.",
            DefaultValueFactory = _ => "none",
        };
        encoding.AcceptOnlyFromAmong([.. Enum.GetNames<BlockEncoding>().Select(SharedOptions.ToWord)]);
        return new BenchCommand(
            "cost",
            "What checkpoints take from a computation in all, beside a fork, and writes of everything.",
            [arena, threads, checkpoints, dirty, epoch, rounds, alone, encoding], (result, run) => Report(
                CostMeasurement.RunAll(
                    new CostSetup
                    {
                        ArenaBytes = result.GetValue(arena),
                        Threads = result.GetValue(threads),
                        Checkpoints = result.GetValue(checkpoints),
                        DirtyPercent = result.GetValue(dirty),
                        Epoch = TimeSpan.FromSeconds(result.GetValue(epoch)),
                        Encoding = Enum.Parse<BlockEncoding>(result.GetValue(encoding)!, ignoreCase: true),
                        Directory = run.Directory,
                    },
                    result.GetValue(rounds), !result.GetValue(alone), run)));
    }

    private static ScenarioReport Report(List<CostMeasurement> rows)
    {
        CostSetup setup = rows[0].Setup;
        JsonArray objects = ScenarioReport.JsonOf(rows, s_columns);
        JsonObject own = (JsonObject)objects[1]!.DeepClone();
        CostLedgerTables.AddTo(own, rows[1]);
        own["baselines"] = new JsonArray(
            [.. objects.Where((_, at) => at != 1).Select(row => row!.DeepClone())]);
        return new ScenarioReport
        {
            Tables = [TextTable.Of(rows, s_columns), .. CostLedgerTables.Of(rows[1])],
            Json = own,
            Note =
                $"{Figures.Size(setup.ArenaBytes)} of noise, {setup.Threads} threads on " +
                $"{Environment.ProcessorCount} processors, {setup.Checkpoints} checkpoints, " +
                $"{setup.DirtyPercent} % of the pages rewritten at random between two; encoding " +
                $"{setup.Encoding}; medians of {rows[0].Runs.Count}, runs of each kind by turns. longer " +
                "by: than without checkpoints. first, increment: by how much the part of the computation " +
                "after the first checkpoint, and after a later one, is longer. longest gap: between two " +
                "pages, felt by any thread. pause: as the checkpoint tells it. processor: added to the " +
                "process and its children until all was durable. Below: who spent it, the computing " +
                "threads without the computation itself; what these lost, in the mean of the threads: by " +
                "computing slower (caches, bandwidth, page tables), in the kernel (faults), ready to run " +
                "while others ran, paused, and held by a write until its page was theirs; and each " +
                "checkpoint, with the time by which the computation after it is longer, and the processor " +
                "time of its threads. " + OtherCheckpointers.Describe(),
            Plots =
            [
                Bars("What checkpoints take from a computation", "seconds longer, median", rows[1..], row =>
                    Math.Max(0, row.LostSeconds)),
                Bars("The longest gap that a thread felt", "milliseconds, median", rows, row =>
                    row.LongestGapMs),
            ],
        };
    }

    /// <summary>A bar for each way of saving.</summary>
    private static Plot Bars(
        string title, string unit, IReadOnlyList<CostMeasurement> rows,
        Func<CostMeasurement, double> value) =>
        new(
            title, new PlotAxis("", [.. rows.Select(row => row.Name)]), new PlotAxis(unit),
            [new PlotSeries(
                "measured", [.. rows.Index().Select(row => ((double)row.Index, value(row.Item)))])]);
}
