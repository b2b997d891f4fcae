using System.CommandLine;
using KillDemo;
using Snapshot;

namespace HeatRanks;

/// <summary>The options, their defaults and their bounds.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_size = CommandOptions.Number(
        "--size", 512, 8, 100_000, "Rows of the plate, and columns.");

    private static readonly Option<long> s_steps = CommandOptions.Number(
        "--steps", 10_000L, 1, RunOptions.StepsMax, "Time steps.");

    private static readonly Option<long> s_everySteps = CommandOptions.Number(
        "--every-steps", 400L, 0, RunOptions.StepsMax, "Steps between two checkpoints; 0 takes none.");

    private static readonly Option<RestartFill> s_fill =
        new("--fill") { Description = "How a restart brings memory back." };

    private static readonly Option<int> s_ranks =
        CommandOptions.Number("--ranks", 4, 1, 10_000, "Ranks of the job.");

    private static readonly Option<string?> s_mpi = new("--mpi")
    {
        Description = "The MPI: openmpi or mpich. Default: what the machine has.",
        HelpName = "family",
    };

    private static readonly Option<string> s_language = new("--language")
    {
        Description = "Of the program that the ranks run: csharp or c, which mpicc compiles.",
        HelpName = "language",
        DefaultValueFactory = static _ => RankProgram.CSharp,
    };

    private static readonly Option<int> s_kills = CommandOptions.Number(
        "--kills", 5, 0, 100_000, "How often a rank is killed.");

    private static readonly Option<int> s_seed = CommandOptions.Number(
        "--seed", 1, int.MinValue, int.MaxValue, "Of the ranks that are killed, and the moments.");

    private static readonly Option<bool> s_batch = new("--batch")
    {
        Description =
            "Ends as batch jobs do: on SIGTERM, and before the time that Slurm gives it is up, with a " +
            "checkpoint and exit code 75.",
    };

    private static readonly Option<int> s_margin = CommandOptions.Number(
        "--margin", 60, 0, 86_400, "With --batch: seconds before the end of the time.");

    private static readonly Option<bool> s_partner =
        new("--partner") { Description = "Copies checkpoints to ranks of other hosts." };

    private static readonly Option<string?> s_shared = new("--shared")
    {
        Description = "Copies checkpoints to a directory that all hosts see.",
        HelpName = "directory",
    };

    private static readonly Option<int> s_hosts = CommandOptions.Number(
        "--hosts", 1, 1, 1000,
        "Hosts to act as: every other kill takes one of them with its disk. Of C# alone.");

    private static Option[] Run { get; } =
        [s_size, s_steps, s_everySteps, s_fill, s_hosts, CommandOptions.Store];

    /// <summary>The demo, and under it what mpirun starts.</summary>
    internal static RootCommand Build(
        Func<RanksDemo, RankOptions, bool, bool, Task<int>> demo, Func<RankOptions, int> rank)
    {
        RootCommand root = new(
            "Heat in a plate whose rows are distributed over the ranks of an MPI job, which survives the " +
            "death of any of them: starts the job, kills a random rank, or a host, at random moments, " +
            "starts it anew from the newest generation that all ranks have, and compares the result with " +
            "that of an uninterrupted run.");
        Option[] options =
            [.. Run, s_ranks, s_mpi, s_language, s_kills, s_seed, CommandOptions.Json];
        foreach (Option option in options) root.Add(option);
        s_language.AcceptOnlyFromAmong(RankProgram.Languages);
        s_mpi.AcceptOnlyFromAmong(MpiCommands.Families);
        root.SetAction(parsed =>
        {
            string? store = parsed.GetValue(CommandOptions.Store);
            RankOptions options = Options(
                parsed, store ?? Path.Combine(Path.GetTempPath(), $"heat-ranks-{Path.GetRandomFileName()}"));
            RanksDemo made = new(
                MpiCommands.Find(parsed.GetValue(s_mpi)), parsed.GetValue(s_language)!,
                parsed.GetValue(s_ranks), parsed.GetValue(s_kills), parsed.GetValue(s_seed), options);
            return demo(made, options, parsed.GetValue(CommandOptions.Json), store is not null);
        });

        Command single = new(
            "run", "What each rank runs: from the newest published generation, or from the beginning.");
        foreach (Option option in (Option[])[.. Run, s_batch, s_margin, s_partner, s_shared])
            single.Add(option);
        single.SetAction(parsed => rank(Options(parsed, parsed.GetValue(CommandOptions.Store)!)));
        root.Add(single);
        return root;
    }

    /// <summary>What is wrong with a command line; empty when nothing is.</summary>
    internal static IEnumerable<string> Misuses(
        ParseResult parsed) => CommandOptions.Misuses(parsed, misuses =>
    {
        if (parsed.CommandResult.Command is RootCommand && parsed.GetValue(s_ranks) > parsed.GetValue(s_size))
            misuses.Add("Option '--ranks': there are more ranks than rows; use fewer, or a larger --size.");
        if (parsed.CommandResult.Command is not RootCommand || parsed.GetValue(s_hosts) == 1) return;
        if (parsed.GetValue(s_hosts) > parsed.GetValue(s_ranks))
            misuses.Add("Option '--hosts': there are more hosts than ranks; use fewer, or more --ranks.");
        if (parsed.GetValue(s_language) != RankProgram.CSharp)
            misuses.Add("Option '--hosts': the program in C knows one host; leave --language out.");
    });

    private static RankOptions Options(ParseResult parsed, string directory) => new(
        parsed.GetValue(s_size), parsed.GetValue(s_steps), parsed.GetValue(s_everySteps),
        parsed.GetValue(s_fill),
        Path.GetFullPath(directory))
    {
        Hosts = parsed.GetValue(s_hosts),
        IsBatch = parsed.GetValue(s_batch),
        Partner = parsed.GetValue(s_partner),
        SharedDirectory = parsed.GetValue(s_shared),
        Margin = TimeSpan.FromSeconds(parsed.GetValue(s_margin)),
    };
}
