using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>Copies with a rank of another failure domain, sent by MPI.</summary>
internal sealed class PartnerLevel : ILevel
{
    private readonly RankGroup _ranks;
    private readonly int _keeper;
    private readonly long? _bytesPerSecond;

    // By the rank whose images they are.
    private readonly SortedDictionary<int, CopyStore> _kept = [];

    /// <summary>Opens the stores of the copies that this rank keeps.</summary>
    internal PartnerLevel(
        RankGroup ranks, FailureDomains domains, JobPlaces places, StoreOptions store, long? bytesPerSecond)
    {
        (_ranks, _bytesPerSecond) = (ranks, bytesPerSecond);
        _keeper = domains.KeeperOf(ranks.Rank);
        try
        {
            foreach (int rank in domains.KeptBy(ranks.Rank))
                _kept[rank] = new CopyStore(places.CopyOf(rank), rank, store);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public JobLevel Name => JobLevel.Partner;

    public JobLevels Flag => JobLevels.Partner;

    public JobManifest? Manifest => null;

    public bool IsDue(JobEntry entry) => true;

    public ILevelWork Copy(JobEntry entry, SnapshotStore own)
    {
        Guid image = entry.Images[_ranks.Rank].ImageId;
        return new PartnerWork(
            [new ImageSender(_ranks, _keeper, () => Open(own, image), new Pace(_bytesPerSecond))],
            [.. _kept.Select(kept => new ImageReceiver(_ranks, kept.Key, kept.Value.Store))]);
    }

    public ILevelWork Fetch(JobEntry entry, IReadOnlyList<bool> needs, SnapshotStore? into) =>
        new PartnerWork(
            [
                .. _kept.Where(kept => needs[kept.Key]).Select(kept => new ImageSender(
                    _ranks, kept.Key, () => Open(kept.Value.Store, entry.Images[kept.Key].ImageId),
                    new Pace(null))),
            ],
            into is null ? [] : [new ImageReceiver(_ranks, _keeper, into)]);

    public void GoOnFrom(JobEntry? entry)
    {
        foreach (CopyStore kept in _kept.Values) kept.GoOnFrom(entry);
    }

    public bool Has(JobEntry entry) => _kept.Values.All(kept => kept.Has(entry));

    public Action List(JobEntry entry) => static () => { };

    public void Listed(JobManifest job)
    {
        foreach (CopyStore kept in _kept.Values) kept.Keep(job);
    }

    public void NotListed()
    {
    }

    public void Dispose()
    {
        foreach (CopyStore kept in _kept.Values) kept.Dispose();
    }

    private static IReadOnlyList<ImageFile>? Open(SnapshotStore store, Guid imageId) =>
        store.Generations.FirstOrDefault(info => info.ImageId == imageId) is { } found
            ? store.OpenFiles(found.Generation)
            : null;
}
