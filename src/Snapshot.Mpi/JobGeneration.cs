namespace Snapshot.Mpi;

/// <summary>A checkpoint of all ranks that is published: a restart takes it, or a later one.</summary>
/// <param name="Generation">Its number in the job, at least 1; a rank's own store may number its image
/// otherwise.</param>
/// <param name="Step">The step at which all ranks were captured.</param>
public sealed record JobGeneration(long Generation, long Step);
