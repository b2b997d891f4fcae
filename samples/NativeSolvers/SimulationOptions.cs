using System.Globalization;
using KillDemo;

namespace NativeSolvers;

/// <summary>One run: what it computes and where it keeps its files.</summary>
/// <param name="Threads">Native threads that integrate.</param>
/// <param name="Size">Points along each side of the membrane.</param>
/// <param name="Steps">Integrals of each thread, and sweeps over the membrane.</param>
/// <param name="EverySteps">Steps of the slowest thread between two checkpoints; 0 takes none.</param>
/// <param name="Directory">Where the store and the results file are.</param>
internal sealed record SimulationOptions(int Threads, int Size, long Steps, long EverySteps, string Directory)
    : RunOptions(Steps, EverySteps, Directory, Output: null)
{
    internal const int ThreadsMax = 64;
    internal const int SizeMin = 8;
    internal const int SizeMax = 16_384;

    internal override string[] ToArguments()
    {
        (string Name, long Value)[] numbers =
        [
            ("--threads", Threads), ("--size", Size), ("--steps", Steps), ("--every-steps", EverySteps),
        ];
        return
        [
            .. numbers.SelectMany(
                option => (string[])[option.Name, option.Value.ToString(CultureInfo.InvariantCulture)]),
            "--store", Directory,
        ];
    }
}
