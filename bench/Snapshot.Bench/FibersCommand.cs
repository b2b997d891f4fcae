using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Snapshot.Bench;

/// <summary>The command line of the fibers scenario.</summary>
internal static class FibersCommand
{
    internal static Command Create()
    {
        Option<int[]> fibers = new("--fibers")
        {
            Description = "How many fibers wait when the checkpoint is taken; one row each.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [1, 1000, 10_000, 100_000],
        };
        Option<int> depth = new("--depth")
        {
            Description = "Frames of each fiber.",
            DefaultValueFactory = _ => 3,
        };
        Option<DirectoryInfo> store = new("--store")
        {
            Description = "A directory; a fresh folder in it is used and deleted.",
            DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
        };
        Option<bool> json = new("--json") { Description = "Print one JSON array instead of a table." };
        fibers.Validators.Add(result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<int[]>()!.Any(count => count < 1))
                result.AddError("--fibers: at least 1 each.");
        });
        depth.Validators.Add(result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<int>() is < 1 or > 10_000)
                result.AddError("--depth: 1 to 10000.");
        });
        Command command = new(
            "fibers", "How long fibers take to be captured and to go on from their image, beside a memcpy of them.")
        {
            fibers, depth, store, json,
        };
        command.SetAction(result =>
        {
            try
            {
                FiberMeasurement.Run(1, 1, result.GetValue(store)!.FullName);
                FiberMeasurement[] rows = [.. result.GetValue(fibers)!.Select(count => FiberMeasurement.Run(
                    count, result.GetValue(depth), result.GetValue(store)!.FullName))];
                if (result.GetValue(json)) PrintJson(rows);
                else PrintTable(rows, result.GetValue(depth));
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

    private static void PrintJson(FiberMeasurement[] rows) => Console.WriteLine(JsonSerializer.Serialize(
        rows.Select(row => new Dictionary<string, object>
        {
            ["fibers"] = row.Fibers,
            ["arenaBytes"] = row.ArenaBytes,
            ["bytesWritten"] = row.Checkpoint.BytesWritten,
            ["pauseMs"] = row.Checkpoint.Capture.Pause.Total.TotalMilliseconds,
            ["openMs"] = row.Open.TotalMilliseconds,
            ["restoreMs"] = row.Restore.TotalMilliseconds,
            ["unwindMs"] = row.Unwind.TotalMilliseconds,
            ["memcpyMs"] = row.Memcpy.TotalMilliseconds,
        })));

    private static void PrintTable(FiberMeasurement[] rows, int depth)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns(
            "fibers", "in arena KiB", "written KiB", "pause ms", "open ms", "restore ms", "unwind ms", "memcpy ms");
        foreach (FiberMeasurement row in rows)
        {
            table.AddRow(
                row.Fibers.ToString("N0", CultureInfo.InvariantCulture), Number(row.ArenaBytes / 1024.0),
                Number(row.Checkpoint.BytesWritten / 1024.0), Number(row.Checkpoint.Capture.Pause.Total),
                Number(row.Open), Number(row.Restore), Number(row.Unwind), Number(row.Memcpy));
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(
            $"{depth} frames a fiber, one worker. open: the store is opened and the arena filled; restore: until the " +
            "first fiber goes on; unwind: until all have gone on and ended; memcpy: of what they take in the arena.");
    }

    private static string Number(TimeSpan time) => Number(time.TotalMilliseconds);

    private static string Number(double value) =>
        value.ToString(value >= 100 ? "F0" : "F2", CultureInfo.InvariantCulture);
}
