namespace Snapshot.Bench;

/// <summary>What an application computes in its arena: threads take equal parts of each step.</summary>
internal abstract class Computation
{
    internal const string Stencil = "stencil", Random = "random";

    internal static readonly IReadOnlyList<string> Names = [Stencil, Random];

    internal static Computation Create(string name, Arena arena, long bytes, int threads) => name switch
    {
        Stencil => new Stencil(arena, bytes, threads),
        Random => new RandomUpdates(arena, bytes, threads),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "not a computation"),
    };

    /// <summary>A thread writes all of its part.</summary>
    internal abstract void Fill(int thread, Participant me);

    /// <summary>A thread's part of one step; it polls as often as a program would.</summary>
    internal abstract void Step(long step, int thread, Participant me);
}
