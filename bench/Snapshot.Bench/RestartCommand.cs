using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>The command line of the restart scenario.</summary>
internal static class RestartCommand
{
    internal static Command Create()
    {
        Option<long[]> arena = new("--arena")
        {
            Description = "Sizes of the arena, one set of rows each: bytes, or with KiB, MiB, GiB.",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = result => [.. result.Tokens.Select(token => ScenarioCommand.ParseSize(token.Value, result))],
            DefaultValueFactory = _ => [1L << 30],
        };
        Option<DirectoryInfo> store = new("--store")
        {
            Description = "A directory on the disk to measure; a fresh folder in it is used and deleted.",
            DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
        };
        Option<bool> json = new("--json") { Description = "Print one JSON array instead of a table." };
        arena.Validators.Add(result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<long[]>()!.Any(size => size < 1 << 20))
                result.AddError("--arena: at least 1MiB each.");
        });
        Command command = new(
            "restart",
            "How long until a restarted program does something useful, and until all its memory is there, beside dd.")
        {
            arena, store, json,
        };
        command.SetAction(result =>
        {
            bool asJson = result.GetValue(json);
            try
            {
                RestartMeasurement[] rows = [.. result.GetValue(arena)!.SelectMany(size => RestartMeasurement.Run(
                    size, result.GetValue(store)!.FullName,
                    text => { if (!asJson) AnsiConsole.MarkupLine($"[grey]{text}[/]"); }))];
                if (asJson) PrintJson(rows);
                else PrintTable(rows);
                return 0;
            }
            catch (Exception error) when (error is SnapshotException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine(error.Message);
                return 3;
            }
        });
        return command;
    }

    private static void PrintJson(RestartMeasurement[] rows) => Console.WriteLine(JsonSerializer.Serialize(
        rows.Select(row => new Dictionary<string, object>
        {
            ["arenaBytes"] = row.ArenaBytes,
            ["fill"] = row.Times.Fill,
            ["pageCache"] = row.IsWarm,
            ["runtimeMs"] = row.Times.RuntimeMs,
            ["openMs"] = row.Times.OpenMs,
            ["firstReadMs"] = row.Times.FirstReadMs,
            ["firstStepMs"] = row.Times.FirstStepMs,
            ["residentMs"] = row.Times.ResidentMs,
            ["faults"] = row.Times.Faults,
            ["residentGBs"] = row.GigabytesPerSecond,
            ["directReadGBs"] = row.DirectReadGigabytesPerSecond,
            ["touchGBs"] = row.TouchGigabytesPerSecond,
            ["residentOverDirectRead"] = row.GigabytesPerSecond / row.DirectReadGigabytesPerSecond,
        })));

    private static void PrintTable(RestartMeasurement[] rows)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns(
            "MiB", "fill", "from", "open ms", "first read", "first step", "resident ms", "GB/s", "dd GB/s", "ratio",
            "touch GB/s");
        foreach (RestartMeasurement row in rows)
        {
            table.AddRow(
                (row.ArenaBytes >> 20).ToString("N0", CultureInfo.InvariantCulture), row.Times.Fill,
                row.IsWarm ? "page cache" : "disk", Number(row.Times.OpenMs), Number(row.Times.FirstReadMs),
                Number(row.Times.FirstStepMs), Number(row.Times.ResidentMs), Number(row.GigabytesPerSecond),
                Number(row.DirectReadGigabytesPerSecond),
                Number(row.GigabytesPerSecond / row.DirectReadGigabytesPerSecond),
                Number(row.TouchGigabytesPerSecond));
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(
            "Each restart in a process of its own. Times are from the call that opens the session: until it is open, " +
            "until a value of a root was read, until a participant had changed it and polled (the first useful " +
            "instruction), until all memory is there; dd: bs=4M iflag=direct of the same image; touch: first touch " +
            "of as much memory in huge pages.");
    }

    private static string Number(double value) =>
        value.ToString(value >= 100 ? "F0" : "F2", CultureInfo.InvariantCulture);
}
