namespace Snapshot.Machines;

/// <summary>A sample that can be killed, in a size for an emulated processor.</summary>
/// <param name="Command">Its name on the command line.</param>
/// <param name="Assembly">Its program.</param>
/// <param name="Arguments">Its size.</param>
/// <param name="About">What is special about it.</param>
internal sealed record Sample(string Command, string Assembly, string Arguments, string About)
{
    internal static readonly Sample Heat = new(
        "heat", "HeatDiffusion", "--size 64 --threads 2 --steps 1200 --every-steps 20 --output /tmp/heat.pgm",
        "threads that poll");

    internal static readonly Sample NBody = new(
        "nbody", "NBody", "--bodies 256 --fibers 64 --threads 2 --steps 300 --every-steps 8", "fibers");

    internal static readonly Sample NativeSolvers = new(
        "native", "NativeSolvers", "--threads 2 --size 64 --steps 1500 --every-steps 40", "native threads");

    internal static IReadOnlyList<Sample> All => [Heat, NBody, NativeSolvers];
}
