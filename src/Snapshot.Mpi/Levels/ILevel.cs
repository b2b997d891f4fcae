using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Levels;

/// <summary>A place for copies of the ranks' images. All ranks call its methods in the same order.</summary>
internal interface ILevel : IDisposable
{
    public JobLevel Name { get; }

    public JobLevels Flag { get; }

    /// <summary>The generations that this level alone can tell of, or null: those of the job's manifest.
    /// </summary>
    public JobManifest? Manifest { get; }

    /// <summary>Whether a generation is to be copied that was published now.</summary>
    public bool IsDue(JobEntry entry);

    /// <summary>
    /// Begins to copy what this rank's part of the level lacks of a generation, which stays in its own store
    /// meanwhile.
    /// </summary>
    public ILevelWork Copy(JobEntry entry, SnapshotStore own);

    /// <summary>Begins to bring back the images of the ranks that need them.</summary>
    /// <param name="entry">The generation.</param>
    /// <param name="needs">Of each rank, whether it does.</param>
    /// <param name="into">An empty store of this rank, where it is one of them.</param>
    public ILevelWork Fetch(JobEntry entry, IReadOnlyList<bool> needs, SnapshotStore? into);

    /// <summary>The job goes on from a generation, or from none: what is younger is dropped.</summary>
    public void GoOnFrom(JobEntry? entry);

    /// <summary>Whether this rank's part of the level has a generation.</summary>
    public bool Has(JobEntry entry);

    /// <summary>
    /// All ranks have copied a generation: returns what rank 0 writes to say so, beside the job's manifest.
    /// </summary>
    public Action List(JobEntry entry);

    /// <summary>That is durable: what no entry needs is let go.</summary>
    /// <param name="job">The manifest of the job.</param>
    public void Listed(JobManifest job);

    /// <summary>It could not be written.</summary>
    public void NotListed();
}
