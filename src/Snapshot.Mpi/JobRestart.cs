namespace Snapshot.Mpi;

/// <summary>What a job was restarted from.</summary>
public sealed class JobRestart
{
    internal JobRestart(JobGeneration from, JobLevel level, IReadOnlyList<SkippedJobGeneration> skipped)
    {
        From = from;
        Level = level;
        Skipped = skipped;
    }

    /// <summary>The generation that all ranks were restored from.</summary>
    public JobGeneration From { get; }

    /// <summary>
    /// Where this rank's images came from; another than <see cref="JobLevel.Local"/> where its own store did
    /// not have them whole. That one was set aside then and put together anew.
    /// </summary>
    public JobLevel Level { get; }

    /// <summary>Newer generations that not every rank could restore, the newest first.</summary>
    public IReadOnlyList<SkippedJobGeneration> Skipped { get; }
}

/// <summary>A published generation that a restart passed over.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Reason">What this rank, or the first that failed, found.</param>
public sealed record SkippedJobGeneration(JobGeneration Generation, Exception Reason);
