using System.CommandLine;
using KillDemo;

namespace HeatDiffusion;

/// <summary>The options, their defaults and their bounds.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_size = CommandOptions.Number(
        "--size", 1024, HeatOptions.SizeMin, HeatOptions.SizeMax, "Values along each side of the plate.");

    private static readonly Option<long> s_steps = CommandOptions.Number(
        "--steps", 6000L, 1, RunOptions.StepsMax, "Sweeps over the plate.");

    private static readonly Option<int> s_threads = CommandOptions.Number(
        "--threads", 4, 1, HeatOptions.ThreadsMax, "Worker threads.");

    private static readonly Option<long> s_everySteps = CommandOptions.Number(
        "--every-steps", 200L, 0, RunOptions.StepsMax, "Sweeps between two checkpoints; 0 takes none.");

    private static readonly Option<bool> s_fibers = new("--fibers")
    {
        Description =
            "Each worker is a fiber: a loop that is continued where it stood, in place of a state machine " +
                      "written by hand. The result is the same.",
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
            "PGM picture of the final temperatures. Default of the demo: heat-diffusion.pgm among the " +
            "temporary files.",
        HelpName = "file",
    };

    /// <summary>The demo, and under it the single run that the demo starts and kills.</summary>
    internal static RootCommand Build(
        Func<DemoOptions, Task<int>> demo, Func<HeatOptions, bool, Task<int>> run) =>
        CommandOptions.Build(
            "Heat diffusion that survives being killed: runs it in a process of its own, " +
            "kills that at random moments, restarts it from the newest image each time, " +
            "and compares the result with that of an uninterrupted run.",
            [
                s_size, s_steps, s_threads, s_everySteps, s_fibers, CommandOptions.Store, s_input, s_output,
                CommandOptions.Json,
            ],
            parsed => demo(Demo(parsed)),
            parsed => run(
                Heat(parsed, parsed.GetValue(CommandOptions.Store)!, parsed.GetValue(s_output)),
                parsed.GetValue(CommandOptions.Json)));

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    internal static IEnumerable<string> Misuses(
        ParseResult parsed) => CommandOptions.Misuses(parsed, misuses =>
    {
        if (parsed.GetValue(s_threads) > parsed.GetValue(s_size) - 2)
        {
            misuses.Add(
                "Option '--threads': there are more threads than rows between the rims; " +
                "use fewer, or a greater --size.");
        }
    });

    private static HeatOptions Heat(ParseResult parsed, string directory, string? output) => new(
        parsed.GetValue(s_size),
        parsed.GetValue(s_steps),
        parsed.GetValue(s_threads),
        parsed.GetValue(s_everySteps),
        Path.GetFullPath(directory),
        Path.GetFullPath(parsed.GetValue(s_input) ?? HeatOptions.ShippedInput),
        output is null ? null : Path.GetFullPath(output),
        parsed.GetValue(s_fibers));

    private static DemoOptions Demo(ParseResult parsed)
    {
        string output = parsed.GetValue(s_output) ?? Path.Combine(Path.GetTempPath(), "heat-diffusion.pgm");
        return CommandOptions.Demo(parsed, "heat-diffusion", directory => Heat(parsed, directory, output));
    }
}
