using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>Prints a measurement as tables or as one JSON object.</summary>
internal static class Report
{
    internal static void Print(Scenario scenario, Measurement measured, bool asJson)
    {
        if (asJson) PrintJson(scenario, measured);
        else PrintTables(scenario, measured);
    }

    private static void PrintJson(Scenario scenario, Measurement measured)
    {
        SnapshotInfo last = measured.Rounds[^1];
        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["scenario"] = scenario.Name,
            ["arenaBytes"] = scenario.ArenaBytes,
            ["dirtyPercent"] = scenario.DirtyPercent,
            ["pattern"] = scenario.IsDense ? "dense" : "random",
            ["threads"] = scenario.Threads,
            ["mode"] = last.Capture.Mode.ToString(),
            ["encoding"] = scenario.Encoding.ToString(),
            ["pauseMsMedian"] = measured.PauseMedian,
            ["pauseMsMax"] = measured.PauseMax,
            ["gatherMsMedian"] = MedianOf(measured, pause => pause.Gather),
            ["collectMsMedian"] = MedianOf(measured, pause => pause.Collect),
            ["copyMsMedian"] = MedianOf(measured, pause => pause.Copy),
            ["releaseMsMedian"] = MedianOf(measured, pause => pause.Release),
            ["memcpyMs"] = measured.MemcpyMilliseconds,
            ["pauseOverMemcpy"] = measured.PauseMedian / measured.MemcpyMilliseconds,
            ["drainGBs"] = measured.DrainGigabytesPerSecond,
            ["directWriteGBs"] = measured.DirectWriteGigabytesPerSecond,
            ["drainOverDirectWrite"] = measured.DrainGigabytesPerSecond / measured.DirectWriteGigabytesPerSecond,
            ["directIo"] = last.DirectIo,
            ["bytesChanged"] = last.BytesChanged,
            ["bytesWritten"] = last.BytesWritten,
        }));
    }

    private static void PrintTables(Scenario scenario, Measurement measured)
    {
        Table rounds = new Table().Border(TableBorder.Simple).AddColumns(
            "generation", "changed", "written", "pause ms", "gather", "collect", "copy", "release", "drain GB/s");
        foreach (SnapshotInfo info in measured.Rounds)
        {
            PauseInfo pause = info.Capture.Pause;
            rounds.AddRow(
                info.Generation.ToString(CultureInfo.InvariantCulture), Mebibytes(info.BytesChanged),
                Mebibytes(info.BytesWritten),
                Milliseconds(pause.Total), Milliseconds(pause.Gather), Milliseconds(pause.Collect),
                Milliseconds(pause.Copy),
                Milliseconds(pause.Release), Number(Measurement.DrainOf(info)));
        }

        AnsiConsole.Write(rounds);
        SnapshotInfo last = measured.Rounds[^1];
        Table summary = new Table().Border(TableBorder.Simple).AddColumns("figure", "measured", "baseline", "ratio");
        summary.AddRow(
            "pause, median", $"{Number(measured.PauseMedian)} ms",
            $"{Number(measured.MemcpyMilliseconds)} ms  memcpy of the pages written",
            Number(measured.PauseMedian / measured.MemcpyMilliseconds));
        summary.AddRow("pause, longest", $"{Number(measured.PauseMax)} ms", "", "");
        summary.AddRow(
            "drain, median", $"{Number(measured.DrainGigabytesPerSecond)} GB/s",
            $"{Number(measured.DirectWriteGigabytesPerSecond)} GB/s  dd bs=4M oflag=direct",
            Number(measured.DrainGigabytesPerSecond / measured.DirectWriteGigabytesPerSecond));
        AnsiConsole.Write(summary);
        string pattern = scenario.IsDense ? "dense" : "random";
        string writing = last.DirectIo ? "direct I/O" : "buffered I/O, since the file system refuses direct I/O";
        AnsiConsole.WriteLine(
            $"{Mebibytes(scenario.ArenaBytes)} MiB arena, {scenario.DirtyPercent} % {pattern}, {scenario.Threads} " +
            $"threads; {last.Capture.Mode} ({last.Capture.ModeReason}); encoding {scenario.Encoding}; {writing}");
    }

    private static double MedianOf(Measurement measured, Func<PauseInfo, TimeSpan> part) =>
        Measurement.Median(measured.Rounds.Select(info => part(info.Capture.Pause).TotalMilliseconds));

    private static string Mebibytes(long bytes) => Number(bytes / 1048576.0);

    private static string Milliseconds(TimeSpan time) => Number(time.TotalMilliseconds);

    private static string Number(double value) =>
        value.ToString(value >= 100 ? "F0" : "F2", CultureInfo.InvariantCulture);
}
