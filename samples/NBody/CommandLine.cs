using System.CommandLine;
using KillDemo;

namespace NBody;

/// <summary>The options, their defaults and their bounds.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_bodies = CommandOptions.Number(
        "--bodies", 8192, NBodyOptions.BodiesMin, NBodyOptions.BodiesMax, "Stars in the cluster.");

    private static readonly Option<int> s_fibers = CommandOptions.Number(
        "--fibers", 2048, 1, NBodyOptions.BodiesMax, "Fibers that compute; each has a tile of the bodies.");

    private static readonly Option<long> s_steps = CommandOptions.Number(
        "--steps", 100L, 1, RunOptions.StepsMax, "Time steps.");

    private static readonly Option<int> s_threads = CommandOptions.Number(
        "--threads", 4, 1, NBodyOptions.ThreadsMax, "Worker threads, which run the fibers.");

    private static readonly Option<long> s_everySteps = CommandOptions.Number(
        "--every-steps", 4L, 0, RunOptions.StepsMax, "Steps between two checkpoints; 0 takes none.");

    /// <summary>The demo, and under it the single run that the demo starts and kills.</summary>
    internal static RootCommand Build(
        Func<DemoOptions, Task<int>> demo, Func<NBodyOptions, bool, Task<int>> run) =>
        CommandOptions.Build(
            "A star cluster, computed by thousands of fibers, that survives being killed: runs it in a " +
            "process of its own, kills that at random moments, restarts it from the newest image each " +
            "time, and compares the result with that of an uninterrupted run.",
            [s_bodies, s_fibers, s_steps, s_threads, s_everySteps, CommandOptions.Store, CommandOptions.Json],
            parsed => demo(CommandOptions.Demo(parsed, "nbody", directory => Options(parsed, directory))),
            parsed => run(
                Options(parsed, parsed.GetValue(CommandOptions.Store)!),
                parsed.GetValue(CommandOptions.Json)));

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    internal static IEnumerable<string> Misuses(
        ParseResult parsed) => CommandOptions.Misuses(parsed, misuses =>
    {
        NBodyOptions options = Options(parsed, "");
        if (options.Fibers > options.Packs)
        {
            misuses.Add(
                $"Option '--fibers': {options.Bodies} bodies are tiles of {Gravity.PackSize} for " +
                $"{options.Packs} fibers at most; use fewer, or more --bodies.");
        }

        if (options.Threads > options.Fibers)
            misuses.Add(
                "Option '--threads': there are more threads than fibers; use fewer, or more --fibers.");
    });

    private static NBodyOptions Options(ParseResult parsed, string directory) => new(
        parsed.GetValue(s_bodies),
        parsed.GetValue(s_fibers),
        parsed.GetValue(s_steps),
        parsed.GetValue(s_threads),
        parsed.GetValue(s_everySteps),
        directory.Length == 0 ? directory : Path.GetFullPath(directory));
}
