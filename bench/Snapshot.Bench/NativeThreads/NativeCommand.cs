using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command line of the native scenario, and what it prints.</summary>
internal static class NativeCommand
{
    private static readonly IReadOnlyList<Column<NativeMeasurement>> s_columns =
    [
        new("threads", "threads", row => row.Threads),
        new("all parked ms", "gatherMs", row => row.Native.GatherMs),
        new("longest", "longestGatherMs", row => row.Native.LongestGatherMs),
        new("polled ms", "polledGatherMs", row => row.Polled?.GatherMs),
        new("pause ms", "pauseMs", row => row.Native.PauseMs),
        new("lost ms", "lostMs", row => row.Native.LostMs),
        new("KiB / thread", null, row => row.BytesPerThread / 1024),
        new(null, "bytesPerThread", row => row.BytesPerThread),
        new("open ms", "openMs", row => row.Restart.OpenMs),
        new("started ms", "startedMs", row => row.Restart.StartMs),
        new("all go on ms", "allGoOnMs", row => row.Restart.AllMs),
    ];

    internal static BenchCommand Create()
    {
        Option<int[]> threads = SharedOptions
            .Several("--threads", "Native threads that compute; a row each.", 1, 4, 64, 512)
            .RequireEach(count => count is >= 1 and <= 1024, "1 to 1024");
        Option<int> rounds = SharedOptions.Rounds("Checkpoints measured, after the full one.", 21);
        return new BenchCommand(
            "native", "How long native threads take to be stopped anywhere, and to go on in another process.",
            [threads, rounds], (result, run) =>
        {
            List<NativeMeasurement> rows = [];
            foreach (int count in result.GetValue(threads)!)
            {
                run.Say($"{count} threads");
                rows.Add(NativeMeasurement.Run(count, result.GetValue(rounds), run.Directory));
            }

            return ReportOf(rows, result.GetValue(rounds));
        });
    }

    private static ScenarioReport ReportOf(IReadOnlyList<NativeMeasurement> rows, int rounds) =>
        ScenarioReport.Of(
            rows, s_columns,
            $"Threads that compute without a pause on {Environment.ProcessorCount} processors, medians of " +
            $"{rounds}. all parked: from the request to stop until every thread stands where it can be " +
            "captured; polled: the same for threads of C# that poll; lost: time of all processors that one " +
            "checkpoint takes from the threads, its drain included; KiB / thread: pages that an increment " +
            "has of each; open: until the session has its memory and its module; started: from there until " +
            "each thread was given to the kernel; all go on: until each has computed.",
            new Plot(
                "Native threads stopped and continued", new PlotAxis("threads"),
                new PlotAxis("milliseconds, median"),
                [
                    .. PlotSeries.Group(rows, _ => "all parked", Count, row => row.Native.GatherMs),
                    .. PlotSeries.Group(rows, _ => "all go on", Count, row => row.Restart.AllMs),
                    .. PlotSeries.Group(
                        rows.Where(row => row.Polled is not null), _ => "polled threads parked", Count,
                        row => row.Polled!.GatherMs, isBaseline: true),
                ]));

    private static double Count(NativeMeasurement row) => row.Threads;
}
