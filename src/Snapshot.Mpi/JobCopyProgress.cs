namespace Snapshot.Mpi;

/// <summary>How far a published generation is copied to another level.</summary>
/// <param name="Level">To which.</param>
/// <param name="Generation">Of the job.</param>
/// <param name="BytesDone">Of this rank's images, those copied.</param>
/// <param name="BytesTotal">Of this rank's images, those that the level did not have yet.</param>
/// <param name="IsComplete">Whether all ranks are done, and the manifest of the job says so.</param>
/// <param name="Error">Why it was given up, on this rank or on another, or null. The generation stays
/// published at the levels that have it, and the next one is copied.</param>
public sealed record JobCopyProgress(
    JobLevel Level, JobGeneration Generation, long BytesDone, long BytesTotal, bool IsComplete,
    Exception? Error);
