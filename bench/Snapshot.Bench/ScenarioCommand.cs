using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Snapshot.Bench;

/// <summary>The command line of a scenario.</summary>
internal static class ScenarioCommand
{
    private static readonly (string Suffix, long Factor)[] Units =
        [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("", 1)];

    internal static Command Create(string name, string description, string encodingDefault)
    {
        Option<long> arena = new("--arena")
        {
            Description = "Size of the arena: bytes, or with KiB, MiB, GiB.",
            CustomParser = result => ParseSize(result.Tokens[^1].Value, result),
            DefaultValueFactory = _ => 1L << 30,
        };
        Option<double> dirty = new("--dirty")
        {
            Description = "Percent of the pages written between checkpoints.",
            DefaultValueFactory = _ => 10,
        };
        Option<string> pattern = new("--pattern")
        {
            Description = "Which pages: one dense range, or random ones.",
            DefaultValueFactory = _ => "dense",
        };
        Option<int> threads = new("--threads")
        {
            Description = "Participants that write.",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        Option<int> rounds = new("--rounds")
        {
            Description = "Checkpoints measured, after the full one.",
            DefaultValueFactory = _ => 9,
        };
        Option<string> mode =
            new("--mode") { Description = "How pages are captured.", DefaultValueFactory = _ => "auto" };
        Option<string> encoding = new("--encoding")
        {
            Description = "How blocks are encoded.",
            DefaultValueFactory = _ => encodingDefault,
        };
        Option<DirectoryInfo> store = new("--store")
        {
            Description = "A directory on the disk to measure; a fresh folder in it is used and deleted.",
            DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object instead of tables." };
        pattern.AcceptOnlyFromAmong("dense", "random");
        mode.AcceptOnlyFromAmong("auto", "stage", "precopy");
        encoding.AcceptOnlyFromAmong("auto", "none", "lz4", "shufflelz4");
        Require(arena, value => value >= 1 << 20, "at least 1MiB");
        Require(dirty, value => value is > 0 and <= 100, "more than 0 and at most 100");
        Require(threads, value => value is >= 1 and <= 1024, "1 to 1024");
        Require(rounds, value => value >= 1, "at least 1");

        Command command =
            new(name, description) { arena, dirty, pattern, threads, rounds, mode, encoding, store, json };
        command.SetAction(result =>
        {
            Scenario scenario = new()
            {
                Name = name,
                ArenaBytes = result.GetValue(arena),
                DirtyPercent = result.GetValue(dirty),
                IsDense = result.GetValue(pattern) == "dense",
                Threads = result.GetValue(threads),
                Rounds = result.GetValue(rounds),
                Capture = Enum.Parse<CaptureMode>(result.GetValue(mode)!, ignoreCase: true),
                Encoding = Enum.Parse<BlockEncoding>(result.GetValue(encoding)!, ignoreCase: true),
                Directory = result.GetValue(store)!.FullName,
            };
            bool asJson = result.GetValue(json);
            try
            {
                Report.Print(scenario, Measurement.Run(scenario, quiet: asJson), asJson);
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

    private static void Require<T>(Option<T> option, Func<T, bool> holds, string range) =>
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.GetValueOrDefault<T>() is not { } value || holds(value)) return;
            result.AddError($"{option.Name}: {range}, not {value}.");
        });

    /// <summary>A size with or without its unit; what is wrong is added to the result.</summary>
    internal static long ParseSize(string text, ArgumentResult result)
    {
        (string suffix, long factor) = Units.First(
            unit => text.EndsWith(unit.Suffix, StringComparison.OrdinalIgnoreCase));
        string number = text[..^suffix.Length];
        if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0)
            return (long)(value * factor) & -4096L;
        result.AddError($"'{text}' is not a size: use a number of bytes, or one with KiB, MiB or GiB, as in 4GiB.");
        return 0;
    }
}
