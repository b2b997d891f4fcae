using System.CommandLine;
using KillDemo;

namespace NativeSolvers;

/// <summary>The options, their defaults and their bounds.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_threads = CommandOptions.Number(
        "--threads", 3, 1, SimulationOptions.ThreadsMax, "Native threads that integrate, in C++.");

    private static readonly Option<int> s_size = CommandOptions.Number(
        "--size", 512, SimulationOptions.SizeMin, SimulationOptions.SizeMax,
        "Points along each side of the membrane that one native thread lets vibrate, in Fortran.");

    private static readonly Option<long> s_steps = CommandOptions.Number(
        "--steps", 3000L, 1, RunOptions.StepsMax, "Integrals of each thread, and sweeps over the membrane.");

    private static readonly Option<long> s_everySteps = CommandOptions.Number(
        "--every-steps", 100L, 0, RunOptions.StepsMax,
        "Steps of the slowest thread between two checkpoints; 0 takes none.");

    /// <summary>The demo, and under it the single run that the demo starts and kills.</summary>
    internal static RootCommand Build(
        Func<DemoOptions, Task<int>> demo, Func<SimulationOptions, bool, Task<int>> run) =>
        CommandOptions.Build(
            "Solvers in C++ and Fortran that know of no checkpoints and survive being killed: adaptive " +
            "quadrature, deep in its recursion, and waves on a membrane. Runs them in a process of its " +
            "own, kills that at random moments, restarts it from the newest image each time, and compares " +
            "the result with that of an uninterrupted run.",
            [s_threads, s_size, s_steps, s_everySteps, CommandOptions.Store, CommandOptions.Json],
            parsed => demo(CommandOptions.Demo(parsed, "native", directory => Options(parsed, directory))),
            parsed => run(
                Options(parsed, parsed.GetValue(CommandOptions.Store)!),
                parsed.GetValue(CommandOptions.Json)));

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    internal static IEnumerable<string> Misuses(ParseResult parsed) =>
        CommandOptions.Misuses(parsed, static _ => { });

    private static SimulationOptions Options(ParseResult parsed, string directory) => new(
        parsed.GetValue(s_threads),
        parsed.GetValue(s_size),
        parsed.GetValue(s_steps),
        parsed.GetValue(s_everySteps),
        directory.Length == 0 ? directory : Path.GetFullPath(directory));
}
