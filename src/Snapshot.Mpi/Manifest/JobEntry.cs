namespace Snapshot.Mpi.Manifest;

/// <summary>A published generation of the job.</summary>
/// <param name="Generation">Its number, at least 1; ascending and never used twice.</param>
/// <param name="Step">The step of the program at which all ranks were captured.</param>
/// <param name="Published">When it was published.</param>
/// <param name="Images">Of each rank, in their order.</param>
internal sealed record JobEntry(long Generation, long Step, DateTimeOffset Published, RankImage[] Images)
{
    internal JobLevels Levels { get; init; }

    internal JobGeneration Name => new(Generation, Step);
}
