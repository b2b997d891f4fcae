using System.Globalization;
using KillDemo;

namespace HeatDiffusion;

/// <summary>One simulation: what it computes and where it keeps its files.</summary>
/// <param name="Size">Values along each side of the plate.</param>
/// <param name="Steps">Sweeps over the plate.</param>
/// <param name="Threads">Worker threads; each has a band of rows.</param>
/// <param name="EverySteps">Sweeps between two checkpoints; 0 takes none.</param>
/// <param name="Directory">Where the store and the results file are.</param>
/// <param name="Input">The picture of the initial temperatures.</param>
/// <param name="Output">Where the final picture goes, or null for none.</param>
/// <param name="UsesFibers">Whether the workers are fibers.</param>
internal sealed record HeatOptions(
    int Size, long Steps, int Threads, long EverySteps, string Directory, string Input, string? Output,
    bool UsesFibers)
    : RunOptions(Steps, EverySteps, Directory, Output)
{
    internal const int SizeMin = 16;
    internal const int SizeMax = 16384;
    internal const int ThreadsMax = 256;

    /// <summary>Temperature of a white pixel; black is 0.</summary>
    internal const double HottestTemperature = 100;

    /// <summary>Sweeps between two lines of the results file.</summary>
    internal const long StepsPerResult = 10;

    /// <summary>The picture that comes with the sample.</summary>
    internal static string ShippedInput => Path.Combine(AppContext.BaseDirectory, "plate.pgm");

    internal override string[] ToArguments()
    {
        (string Name, long Value)[] numbers =
            [("--size", Size), ("--steps", Steps), ("--threads", Threads), ("--every-steps", EverySteps)];
        return
        [
            .. numbers.SelectMany(
                option => (string[])[option.Name, option.Value.ToString(CultureInfo.InvariantCulture)]),
            "--store", Directory, "--input", Input,
            .. Output is null ? (string[])[] : ["--output", Output],
            .. UsesFibers ? (string[])["--fibers"] : [],
        ];
    }
}
