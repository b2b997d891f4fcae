using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// Copies in a directory that all hosts see. It is the directory of a job itself, with a manifest of what was
/// flushed whole, so that it can be listed, verified and restarted from by itself.
/// </summary>
internal sealed class SharedLevel : ILevel
{
    private readonly int _rank;
    private readonly JobPlaces _places;
    private readonly MpiJobOptions _options;
    private readonly CopyStore _copies;
    private JobManifest _listed;
    private JobManifest _next;

    /// <param name="ranks">Of the job.</param>
    /// <param name="options">With the shared directory.</param>
    /// <param name="manifest">Of that directory, the same on all ranks; or null.</param>
    internal SharedLevel(RankGroup ranks, MpiJobOptions options, JobManifest? manifest)
    {
        (_rank, _options) = (ranks.Rank, options);
        _places = new JobPlaces(options.SharedDirectory!);
        Manifest = manifest;
        _listed = _next = manifest ?? new JobManifest(ranks.Size, 0, []);
        _copies = new CopyStore(_places.StoreOf(_rank), _rank, options.Session.Store);
    }

    public JobLevel Name => JobLevel.Shared;

    public JobLevels Flag => JobLevels.Shared;

    public JobManifest? Manifest { get; }

    public bool IsDue(JobEntry entry) => entry.Generation % _options.SharedEvery == 0;

    public ILevelWork Copy(JobEntry entry, SnapshotStore own)
    {
        Guid image = entry.Images[_rank].ImageId;
        return new FileWork(
            () => own.OpenFiles(own.FindImage(image).Generation), _copies.Store,
            new Pace(_options.CopyBytesPerSecond));
    }

    public ILevelWork Fetch(JobEntry entry, IReadOnlyList<bool> needs, SnapshotStore? into)
    {
        if (into is null) return new PartnerWork([], []);
        Guid image = entry.Images[_rank].ImageId;
        return new FileWork(
            () => _copies.Store.OpenFiles(_copies.Store.FindImage(image).Generation), into, new Pace(null));
    }

    public void GoOnFrom(JobEntry? entry)
    {
        _copies.GoOnFrom(entry);
        _listed = _next = _listed.UpTo(entry?.Generation ?? 0);
    }

    public bool Has(JobEntry entry) => _copies.Has(entry);

    public Action List(JobEntry entry)
    {
        long sequence = _next.Sequence + 1;
        _next = _listed.With(entry with { Levels = Flag }, _options.Keep) with { Sequence = sequence };
        JobManifest next = _next;
        return () => JobManifestFile.Write(_places.Directory, next, _options.Session.Store, static _ => { });
    }

    public void Listed(JobManifest job)
    {
        _listed = _next;
        _copies.Keep(_listed);
    }

    public void NotListed()
    {
        // Its sequence is used up.
    }

    public void Dispose() => _copies.Dispose();
}
