namespace HeatDiffusion;

/// <summary>One simulation: what it computes and where it keeps its files.</summary>
/// <param name="Size">Values along each side of the plate.</param>
/// <param name="Steps">Sweeps over the plate.</param>
/// <param name="Threads">Worker threads; each has a band of rows.</param>
/// <param name="EverySteps">Sweeps between two checkpoints; 0 takes none.</param>
/// <param name="Directory">Where the store and the results file are.</param>
/// <param name="Input">The picture of the initial temperatures.</param>
/// <param name="Output">Where the final picture goes, or null for none.</param>
internal sealed record HeatOptions(
    int Size, long Steps, int Threads, long EverySteps, string Directory, string Input, string? Output)
{
    internal const int SizeMin = 16;
    internal const int SizeMax = 16384;
    internal const long StepsMax = 100_000_000;
    internal const int ThreadsMax = 256;

    /// <summary>Temperature of a white pixel; black is 0.</summary>
    internal const double HottestTemperature = 100;

    /// <summary>Sweeps between two lines of the results file.</summary>
    internal const long StepsPerResult = 10;

    internal string StoreDirectory => Path.Combine(Directory, "store");

    internal string ResultsPath => Path.Combine(Directory, "results.txt");

    /// <summary>The picture that comes with the sample.</summary>
    internal static string ShippedInput => Path.Combine(AppContext.BaseDirectory, "plate.pgm");
}

/// <summary>The demo around a simulation.</summary>
/// <param name="Kills">How often the simulation is killed.</param>
/// <param name="Seed">Of the moments at which it is.</param>
/// <param name="IsJson">Whether the last line of output is one JSON object and nothing else is printed.</param>
/// <param name="KeepsDirectory">Whether the user named the directory, and wants to find it afterwards.</param>
internal sealed record DemoOptions(HeatOptions Heat, int Kills, int Seed, bool IsJson, bool KeepsDirectory);
