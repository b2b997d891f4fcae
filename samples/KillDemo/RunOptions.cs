namespace KillDemo;

/// <summary>One run of a sample's simulation, as far as all samples have it in common.</summary>
/// <param name="Steps">Steps from the beginning to the end.</param>
/// <param name="EverySteps">Steps between two checkpoints; 0 takes none.</param>
/// <param name="Directory">Where the store and the results file are.</param>
/// <param name="Output">Where the final picture goes, or null for none.</param>
internal abstract record RunOptions(long Steps, long EverySteps, string Directory, string? Output)
{
    internal const long StepsMax = 100_000_000;

    internal string StoreDirectory => Path.Combine(Directory, "store");

    internal string ResultsPath => Path.Combine(Directory, "results.txt");

    /// <summary>The command line that gives these options, without the name of the command.</summary>
    internal abstract string[] ToArguments();
}

/// <summary>The demo around a simulation.</summary>
/// <param name="Run">What is killed and restarted.</param>
/// <param name="Kills">How often it is killed.</param>
/// <param name="Seed">Of the moments at which it is.</param>
/// <param name="IsJson">
/// Whether the last line of output is one JSON object and nothing else is printed.
/// </param>
/// <param name="KeepsDirectory">
/// Whether the user named the directory, and wants to find it afterwards.
/// </param>
internal sealed record DemoOptions(RunOptions Run, int Kills, int Seed, bool IsJson, bool KeepsDirectory);
