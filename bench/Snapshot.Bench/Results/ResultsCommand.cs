using System.CommandLine;

namespace Snapshot.Bench;

/// <summary>The command that measures everything and writes it down.</summary>
internal static class ResultsCommand
{
    internal static Command Create(RootCommand root)
    {
        Option<bool> quick = new("--quick") { Description = "Small sizes, to try it." };
        Option<DirectoryInfo> store = new("--store")
        {
            Description = "A directory on the disk to measure; fresh folders in it are used and deleted.",
            DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
        };
        Option<DirectoryInfo?> output = new("--output")
        {
            Description =
                $"Where {ResultsDocument.FileName} and {ResultsDocument.PlotsFolder}/ go. Default: the " +
                "folder bench of the source tree.",
        };
        Option<bool> busy = BenchCommand.Busy();
        Command command = new(
            "all", $"Measures everything and writes {ResultsDocument.FileName} with its plots.")
        {
            quick, store, output, busy,
        };
        command.SetAction(result => BenchExit.Of(() =>
        {
            if (!result.GetValue(busy)) OtherLoad.ThrowIfBusy(OtherLoad.Measure());
            Run(
                root, result.GetValue(quick), result.GetValue(store)!.FullName,
                result.GetValue(output)?.FullName ?? BenchFolder());
        }));
        return command;
    }

    private static void Run(RootCommand root, bool isQuick, string store, string output)
    {
        if (!Directory.Exists(output))
        {
            throw new RequirementException(
                "The directory of the results does not exist", $"make '{output}', or change --output.");
        }

        Requirements.Disk(store, 0, "nothing yet");
        IReadOnlyList<(string Mode, string? Obstacle)> modes = ModeProbe.Try(store);
        ResultsDocument document = new(
            isQuick, DateOnly.FromDateTime(DateTime.UtcNow), MachineDescription.Of(store));
        foreach ((string mode, string? obstacle) in modes)
        {
            if (obstacle is not null) document.AddMissingMode(mode, obstacle);
        }

        string plots = Directory.CreateDirectory(Path.Combine(output, ResultsDocument.PlotsFolder)).FullName;
        string[] usable = [.. modes.Where(mode => mode.Obstacle is null).Select(mode => mode.Mode)];
        foreach (ResultsPart part in ResultsPlan.Of(isQuick, usable))
        {
            Console.Error.WriteLine(part.CommandLine);
            ParseResult parsed = root.Parse([.. part.Arguments, "--store", store]);
            if (parsed.Errors is [{ } wrong, ..])
                throw new InvalidOperationException($"{part.CommandLine}: " +
                    $"{wrong.Message}");
            BenchCommand scenario = (BenchCommand)parsed.CommandResult.Command;
            try
            {
                double others = OtherLoad.Measure();
                ScenarioReport report =
                    scenario.Measure(parsed, text => Console.Error.WriteLine($"  {text}"));
                if (report.Plots.Count > 0)
                    File.WriteAllText(Path.Combine(plots, $"{part.Id}.svg"), SvgPlot.Draw(report.Plots));
                document.Add(part, report, others);
            }
            catch (RequirementException missing)
            {
                Console.Error.WriteLine($"  {missing.Message}");
                document.AddMissing(part, missing.Reason);
            }
        }

        string file = Path.Combine(output, ResultsDocument.FileName);
        File.WriteAllText(file, document.ToString());
        Console.WriteLine($"{file} is written.");
    }

    /// <summary>The folder bench of the source tree that this program was built from, or is run in.</summary>
    private static string BenchFolder()
    {
        foreach (string start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory])
        {
            for (string? folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Snapshot.sln"))) return Path.Combine(folder, "bench");
            }
        }

        throw new RequirementException(
            "The source tree is not above this program", "say with --output where to write.");
    }
}
