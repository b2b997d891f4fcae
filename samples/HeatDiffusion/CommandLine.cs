using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace HeatDiffusion;

/// <summary>The options, their defaults and their bounds.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_size = Number(
        "--size", 1024, HeatOptions.SizeMin, HeatOptions.SizeMax, "Values along each side of the plate.");

    private static readonly Option<long> s_steps = Number(
        "--steps", 6000L, 1, HeatOptions.StepsMax, "Sweeps over the plate.");

    private static readonly Option<int> s_threads = Number(
        "--threads", 4, 1, HeatOptions.ThreadsMax, "Worker threads.");

    private static readonly Option<long> s_everySteps = Number(
        "--every-steps", 200L, 0, HeatOptions.StepsMax, "Sweeps between two checkpoints; 0 takes none.");

    private static readonly Option<string?> s_store = new("--store")
    {
        Description =
            "Directory for the images and the results file. Default of the demo: a temporary one, deleted afterwards.",
        HelpName = "directory",
    };

    private static readonly Option<string?> s_input = new("--input")
    {
        Description = "PGM picture of the initial temperatures, white is hot; stretched to fit. " +
                      "Default: one that comes with the sample.",
        HelpName = "file",
    };

    private static readonly Option<string?> s_output = new("--output")
    {
        Description =
            "PGM picture of the final temperatures. Default of the demo: heat-diffusion.pgm among the temporary files.",
        HelpName = "file",
    };

    private static readonly Option<int> s_kills = Number(
        "--kills", 5, 0, 100_000, "How often the simulation is killed.");

    private static readonly Option<int> s_seed = Number(
        "--seed", 1, int.MinValue, int.MaxValue, "Of the moments at which it is killed.");

    private static readonly Option<bool> s_json = new("--json") { Description = "Prints JSON and nothing else." };

    /// <summary>The demo, and under it the single run that the demo starts and kills.</summary>
    internal static RootCommand Build(Func<DemoOptions, Task<int>> demo, Func<HeatOptions, bool, Task<int>> run)
    {
        RootCommand root = new(
            "Heat diffusion that survives being killed: runs it in a process of its own, " +
            "kills that at random moments, restarts it from the newest image each time, " +
            "and compares the result with that of an uninterrupted run.");
        AddHeatOptions(root);
        root.Add(s_kills);
        root.Add(s_seed);
        root.SetAction(parsed => demo(Demo(parsed)));

        Command single = new(
            "run", "Runs the simulation once, from the newest image of its directory or from the beginning.");
        AddHeatOptions(single);
        single.SetAction(parsed => run(
            Heat(parsed, parsed.GetValue(s_store)!, parsed.GetValue(s_output)), parsed.GetValue(s_json)));
        root.Add(single);
        return root;
    }

    private static void AddHeatOptions(Command command)
    {
        Option[] options = [s_size, s_steps, s_threads, s_everySteps, s_store, s_input, s_output, s_json];
        foreach (Option option in options) command.Add(option);
    }

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    internal static IEnumerable<string> Misuses(ParseResult parsed)
    {
        // Values may be asked for only when each of them is one.
        if (parsed.Errors.Count > 0) return parsed.Errors.Select(error => error.Message);
        List<string> misuses = [];
        if (parsed.GetValue(s_threads) > parsed.GetValue(s_size) - 2)
        {
            misuses.Add(
                "Option '--threads': there are more threads than rows between the rims; " +
                "use fewer, or a greater --size.");
        }

        if (parsed.CommandResult.Command is not RootCommand && parsed.GetValue(s_store) is null)
            misuses.Add("Option '--store': a run needs a directory for its images.");
        return misuses;
    }

    private static HeatOptions Heat(ParseResult parsed, string directory, string? output) => new(
        parsed.GetValue(s_size),
        parsed.GetValue(s_steps),
        parsed.GetValue(s_threads),
        parsed.GetValue(s_everySteps),
        Path.GetFullPath(directory),
        Path.GetFullPath(parsed.GetValue(s_input) ?? HeatOptions.ShippedInput),
        output is null ? null : Path.GetFullPath(output));

    private static DemoOptions Demo(ParseResult parsed)
    {
        string? store = parsed.GetValue(s_store);
        string directory = store ?? Path.Combine(Path.GetTempPath(), $"heat-diffusion-{Path.GetRandomFileName()}");
        string output = parsed.GetValue(s_output) ?? Path.Combine(Path.GetTempPath(), "heat-diffusion.pgm");
        return new DemoOptions(
            Heat(parsed, directory, output),
            parsed.GetValue(s_kills),
            parsed.GetValue(s_seed),
            parsed.GetValue(s_json),
            KeepsDirectory: store is not null);
    }

    private static Option<T> Number<T>(string name, T byDefault, T least, T most, string description)
        where T : struct, INumber<T> => new(name)
    {
        Description = description,
        HelpName = "number",
        DefaultValueFactory = _ => byDefault,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (!T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value))
                result.AddError($"Option '{name}': '{text}' is not a whole number, or far too large.");
            else if (value < least || value > most)
                result.AddError($"Option '{name}': {text} is not between {least} and {most}.");
            return value;
        },
    };
}
