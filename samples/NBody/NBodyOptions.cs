using System.Globalization;
using KillDemo;

namespace NBody;

/// <summary>One simulation: what it computes and where it keeps its files.</summary>
/// <param name="Bodies">Stars in the cluster.</param>
/// <param name="Fibers">Fibers that compute; each has a tile of the bodies.</param>
/// <param name="Steps">Time steps.</param>
/// <param name="Threads">Worker threads; each runs a part of the fibers.</param>
/// <param name="EverySteps">Steps between two checkpoints; 0 takes none.</param>
/// <param name="Directory">Where the store and the results file are.</param>
internal sealed record NBodyOptions(
    int Bodies, int Fibers, long Steps, int Threads, long EverySteps, string Directory)
    : RunOptions(Steps, EverySteps, Directory, Output: null)
{
    internal const int BodiesMin = 4;
    internal const int BodiesMax = 1_000_000;
    internal const int ThreadsMax = 256;

    /// <summary>Groups of bodies that are computed together; the last one may have massless ones.</summary>
    internal int Packs => (Bodies + Gravity.PackSize - 1) / Gravity.PackSize;

    internal override string[] ToArguments()
    {
        (string Name, long Value)[] numbers =
        [
            ("--bodies", Bodies), ("--fibers", Fibers), ("--steps", Steps), ("--threads", Threads),
            ("--every-steps", EverySteps),
        ];
        return
        [
            .. numbers.SelectMany(
                option => (string[])[option.Name, option.Value.ToString(CultureInfo.InvariantCulture)]),
            "--store", Directory,
        ];
    }
}
