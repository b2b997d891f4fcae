using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Levels;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// Which ranks write the manifest of the job: rank 0, and the first of each failure domain whose directory is
/// not that of rank 0, so that the loss of one host never takes the only manifest.
/// </summary>
internal static class ManifestKeepers
{
    /// <summary>Collective. Whether this rank is one of them.</summary>
    /// <exception cref="SnapshotException">StoreIo, RankFailed.</exception>
    internal static bool IsOne(
        RankGroup ranks, FailureDomains domains, JobPlaces places, StoreOptions options)
    {
        if (domains.Count == 1) return ranks.Rank == 0;

        // A name that no host has asked a file server for before.
        string name = $"job.seen-{ranks.GatherToAll(Guid.NewGuid())[0]}";
        ranks.Together(() =>
        {
            if (ranks.Rank == 0) JobManifestFile.Touch(places.Directory, name, options);
        });
        bool sees = File.Exists(Path.Combine(places.Directory, name));
        ranks.Barrier();
        ranks.Together(() =>
        {
            if (ranks.Rank == 0) File.Delete(Path.Combine(places.Directory, name));
        });
        return ranks.Rank == 0 || (domains.IsFirstOfItsDomain(ranks.Rank) && !sees);
    }
}
