using System.Text.Json.Nodes;
using Snapshot.Base;
using Snapshot.Checkpoint;

namespace Snapshot.Bench;

/// <summary>
/// The bill of the session's checkpoints: who spent processor time, what the computing threads lost time by,
/// and what each checkpoint was.
/// </summary>
internal static class CostLedgerTables
{
    private static readonly IReadOnlyList<Column<CostMeasurement>> s_bySpender =
    [
        Spender("application s", "application", ledger => ledger.Application),
        Spender("capture s", "capture", ledger => ledger.Capture),
        Spender("hash s", "drain", ledger => ledger.Drain),
        Spender("encode s", "encode", ledger => ledger.Encode),
        Spender("write s", "write", ledger => ledger.Write),
        Spender("serve s", "serve", ledger => ledger.Serve),
        Spender("other s", "other", ledger => ledger.Other),
    ];

    private static readonly IReadOnlyList<Column<CostMeasurement>> s_byCause =
    [
        Cause("lost s", "all", loss => loss.All),
        Cause("computing slower s", "computing", loss => loss.Computing),
        Cause("in the kernel s", "inKernel", loss => loss.InKernel),
        Cause("queued s", "queued", loss => loss.Queued),
        Cause("paused s", "paused", loss => loss.Paused),
        Cause("held s", "held", loss => loss.Held),
    ];

    private static readonly IReadOnlyList<Column<CheckpointCost>> s_byCheckpoint =
    [
        new("checkpoint", "generation", row => row.Generation),
        new("mode", "mode", row => row.Mode.ToString()),
        new("lost ms", "lostMs", row => row.LostMs),
        Of("pause ms", "pauseMs", info => info.Capture.Pause.Total.TotalMilliseconds),
        Of("prepare ms", "prepareMs", info => info.Capture.Prepare.TotalMilliseconds),
        Of("drain ms", "drainMs", info => info.Drain.TotalMilliseconds),
        Of("tracked", "pagesTracked", info => info.Capture.PagesTracked),
        Of("changed", "pagesChanged", info => info.PagesChanged),
        Of("copied", "pagesCopied", info => info.CopyOnWrite?.PagesCopied ?? 0),
        Of("faults", "faults", info => info.CopyOnWrite?.Faults ?? 0),
        Of("waits", "waits", info => info.CopyOnWrite?.Waits ?? 0),
        Of("waited ms", "waitedMs", info => info.CopyOnWrite?.Waiting.TotalMilliseconds ?? 0),
        On("capture ms", "captureMs", CheckpointTask.Capture),
        On("hash ms", "drainProcessorMs", CheckpointTask.Drain),
        On("encode ms", "encodeMs", CheckpointTask.Encode),
        On("write ms", "writeMs", CheckpointTask.Write),
    ];

    internal static IReadOnlyList<TextTable> Of(CostMeasurement own) =>
        [TextTable.Of([own], s_bySpender), TextTable.Of([own], s_byCause),
            TextTable.Of(Rows(own), s_byCheckpoint)];

    /// <summary>Adds them to the object of the session's row.</summary>
    internal static void AddTo(JsonObject target, CostMeasurement own)
    {
        target["processor"] = ScenarioReport.JsonOf([own], s_bySpender)[0]!.DeepClone();
        target["lost"] = ScenarioReport.JsonOf([own], s_byCause)[0]!.DeepClone();
        target["byCheckpoint"] = ScenarioReport.JsonOf(Rows(own), s_byCheckpoint);
    }

    private static CheckpointCost[] Rows(CostMeasurement own) =>
        [.. Enumerable.Range(0, own.Setup.Checkpoints).Select(index => new CheckpointCost(own, index))];

    // The computing threads are told without what the computation itself takes.
    private static Column<CostMeasurement> Spender(
        string heading, string name, Func<CostLedger, double> value) => new(
        heading, name, row => Figures.Median(row.Runs.Select(run => value(run.Ledger)))
            - Figures.Median(row.Without.Select(run => value(run.Ledger))));

    private static Column<CostMeasurement> Cause(string heading, string name, Func<CostLoss, double> value) =>
        new(
            heading, name, row => Figures.Median(row.Runs.Select(run => value(run.Loss)))
                - Figures.Median(row.Without.Select(run => value(run.Loss))));

    private static Column<CheckpointCost> Of(string heading, string name, Func<SnapshotInfo, double> value) =>
        new(heading, name, row => row.Median(value));

    private static Column<CheckpointCost> On(string heading, string name, CheckpointTask task) =>
        Of(heading, name, info => info.Meter!.On(task).TotalMilliseconds);

    /// <summary>One of the checkpoints of each run.</summary>
    private sealed record CheckpointCost(CostMeasurement Own, int Index)
    {
        internal int Generation => Index + 1;

        internal CaptureMode Mode => Own.Runs[0].Infos[Index].Capture.Mode;

        /// <summary>By how much the epoch after it is longer.</summary>
        internal double LostMs =>
            Figures.Median(Own.Runs.Select(run => run.EpochsMs[Index + 1])) - Own.EpochMs;

        internal double Median(Func<SnapshotInfo, double> value) =>
            Figures.Median(Own.Runs.Select(run => value(run.Infos[Index])));
    }
}
