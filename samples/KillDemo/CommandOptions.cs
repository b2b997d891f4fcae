using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace KillDemo;

/// <summary>The options that all samples have, and how their numbers are read.</summary>
internal static class CommandOptions
{
    internal static readonly Option<string?> Store = new("--store")
    {
        Description =
            "Directory for the images and the results file. Default of the demo: a temporary one, deleted " +
            "afterwards.",
        HelpName = "directory",
    };

    internal static readonly Option<bool> Json =
        new("--json") { Description = "Prints JSON and nothing else." };

    private static readonly Option<int> s_kills = Number(
        "--kills", 5, 0, 100_000, "How often the simulation is killed.");

    private static readonly Option<int> s_seed = Number(
        "--seed", 1, int.MinValue, int.MaxValue, "Of the moments at which it is killed.");

    /// <summary>The demo, and under it the single run that the demo starts and kills.</summary>
    /// <param name="about">What the demo does, for the help.</param>
    /// <param name="options">Of both.</param>
    /// <param name="demo">The demo.</param>
    /// <param name="run">The single run.</param>
    internal static RootCommand Build(
        string about, Option[] options, Func<ParseResult, Task<int>> demo, Func<ParseResult, Task<int>> run)
    {
        RootCommand root = new(about);
        foreach (Option option in options) root.Add(option);
        root.Add(s_kills);
        root.Add(s_seed);
        root.SetAction(demo);

        Command single = new(
            "run", "Runs the simulation once, from the newest image of its directory or from the beginning.");
        foreach (Option option in options) single.Add(option);
        single.SetAction(run);
        root.Add(single);
        return root;
    }

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="ownMisuses">Adds what the sample finds wrong; values may be asked for.</param>
    internal static IEnumerable<string> Misuses(ParseResult parsed, Action<List<string>> ownMisuses)
    {
        // Values may be asked for only when each of them is one.
        if (parsed.Errors.Count > 0) return parsed.Errors.Select(error => error.Message);
        List<string> misuses = [];
        ownMisuses(misuses);
        if (parsed.CommandResult.Command is not RootCommand && parsed.GetValue(Store) is null)
            misuses.Add("Option '--store': a run needs a directory for its images.");
        return misuses;
    }

    /// <summary>The options of a demo.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="name">Of the temporary directory, when none is given.</param>
    /// <param name="runIn">Makes the options of the run from its directory.</param>
    internal static DemoOptions Demo(ParseResult parsed, string name, Func<string, RunOptions> runIn)
    {
        string? store = parsed.GetValue(Store);
        return new DemoOptions(
            runIn(store ?? Path.Combine(Path.GetTempPath(), $"{name}-{Path.GetRandomFileName()}")),
            parsed.GetValue(s_kills),
            parsed.GetValue(s_seed),
            parsed.GetValue(Json),
            KeepsDirectory: store is not null);
    }

    /// <summary>An option that is a whole number between two bounds.</summary>
    internal static Option<T> Number<T>(string name, T byDefault, T least, T most, string description)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => byDefault,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!T.TryParse(
                    text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value))
                    result.AddError($"Option '{name}': '{text}' is not a whole number, or far too large.");
                else if (value < least || value > most)
                    result.AddError($"Option '{name}': {text} is not between {least} and {most}.");
                return value;
            },
        };
}
