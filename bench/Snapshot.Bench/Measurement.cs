using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>The figures of one scenario: of each checkpoint, and of the baselines in the same run.</summary>
internal sealed record Measurement(
    IReadOnlyList<SnapshotInfo> Rounds, double MemcpyMilliseconds, double DirectWriteGigabytesPerSecond)
{
    internal double PauseMedian => Median(Rounds.Select(info => info.Capture.Pause.Total.TotalMilliseconds));

    internal double PauseMax => Rounds.Max(info => info.Capture.Pause.Total.TotalMilliseconds);

    /// <summary>GB/s of the image file, from the end of the pause to the end of the writing and the syncing.</summary>
    internal double DrainGigabytesPerSecond => Median(Rounds.Select(DrainOf));

    internal static double DrainOf(SnapshotInfo info) =>
        info.BytesWritten / (info.Drain + info.Commit).TotalSeconds / 1e9;

    internal static Measurement Run(Scenario scenario, bool quiet)
    {
        string directory = Path.Combine(scenario.Directory, $"snapshot-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        try
        {
            return Run(scenario, directory, quiet);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static Measurement Run(Scenario scenario, string directory, bool quiet)
    {
        SnapshotOptions options = new()
        {
            Capture = scenario.Capture,
            Encoding = scenario.Encoding,
            StagingLimit = scenario.ArenaBytes + (1L << 30),
            Store = new StoreOptions
            {
                Retention = new RetentionPolicy { KeepLast = 1 },
                ChainLengthMax = int.MaxValue,
            },
        };
        using SnapshotSession session = SnapshotSession.Create(Path.Combine(directory, "store"), options);
        using Workload workload = new(session, scenario);
        Random random = new(1);
        List<SnapshotInfo> rounds = [];
        Say(quiet, "filling, and the full image");
        workload.Write([.. Sequence(scenario.Pages)]);
        session.RequestCheckpoint().WaitCommitted();
        for (int round = 0; round < scenario.Rounds; round++)
        {
            Say(quiet, $"round {round + 1} of {scenario.Rounds}");
            workload.Write(workload.Choose(random));
            rounds.Add(session.RequestCheckpoint().WaitCommitted());
        }

        Say(quiet, "baselines");
        unsafe
        {
            double memcpy = Baselines.MemcpyMilliseconds(workload.Memory, workload.Pages);
            long bytes = Math.Clamp(rounds[^1].BytesWritten, 256L << 20, 4L << 30);
            return new Measurement(rounds, memcpy, Baselines.DirectWriteGigabytesPerSecond(directory, bytes));
        }
    }

    private static IEnumerable<long> Sequence(long count)
    {
        for (long value = 0; value < count; value++) yield return value;
    }

    private static void Say(bool quiet, string text)
    {
        if (!quiet) AnsiConsole.MarkupLine($"[grey]{text}[/]");
    }
}
