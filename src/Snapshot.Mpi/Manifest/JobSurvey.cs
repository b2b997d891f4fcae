using Snapshot.Storage;

namespace Snapshot.Mpi.Manifest;

/// <summary>What the directory of a job holds, as far as this machine sees it.</summary>
internal sealed class JobSurvey
{
    private JobSurvey(JobPlaces places, JobManifest manifest, IReadOnlyList<RankSurvey> ranks)
    {
        Places = places;
        Manifest = manifest;
        Ranks = ranks;
    }

    internal JobPlaces Places { get; }

    internal JobManifest Manifest { get; }

    internal IReadOnlyList<RankSurvey> Ranks { get; }

    /// <summary>The survey, or null where the directory is none of a job.</summary>
    /// <exception cref="SnapshotException">The manifest is damaged, or a store is.</exception>
    internal static JobSurvey? Of(string directory)
    {
        JobPlaces places = new(directory);
        if (!File.Exists(places.ManifestPath)) return null;
        JobManifest manifest = JobManifestFile.Read(places.Directory)!;
        return new JobSurvey(
            places, manifest,
            [.. Enumerable.Range(0, manifest.Ranks).Select(
                rank => RankSurvey.Of(places.StoreOf(rank), manifest, rank))]);
    }

    /// <summary>The stores of copies that partners keep in this directory.</summary>
    internal IEnumerable<RankSurvey> Copies => Ranks.Select(rank => RankSurvey.Of(
        Places.CopyOf(rank.Rank), Manifest, rank.Rank)).Where(copies => copies.IsHere);

    /// <summary>How many ranks have their image of a generation, whole as far as the stores' manifests say.
    /// </summary>
    internal int RanksWith(JobEntry entry) =>
        Ranks.Count(rank => rank.Find(entry.Images[rank.Rank].ImageId) is not null);
}

/// <summary>The store of one rank.</summary>
/// <param name="Rank">Its number.</param>
/// <param name="Directory">Of the store.</param>
/// <param name="Generations">Of its store; empty where that is not here.</param>
/// <param name="IsHere">Whether there is a store.</param>
/// <param name="Orphans">
/// Generations newer than those of the job: of checkpoints that were not published.
/// </param>
internal sealed record RankSurvey(
    int Rank, string Directory, IReadOnlyList<GenerationInfo> Generations, bool IsHere,
    IReadOnlyList<GenerationInfo> Orphans)
{
    internal GenerationInfo? Find(Guid imageId) =>
        Generations.FirstOrDefault(info => info.ImageId == imageId);

    internal static RankSurvey Of(string directory, JobManifest manifest, int rank)
    {
        if (!JobPlaces.HasStore(directory)) return new(rank, directory, [], false, []);
        using SnapshotStore store = SnapshotStore.OpenReadOnly(directory);
        HashSet<Guid> listed = [.. manifest.Entries.Select(entry => entry.Images[rank].ImageId)];
        long oldest = manifest.Entries is [var first, ..] ? first.Images[rank].Generation : 0;
        return new(
            rank, directory, store.Generations, true,
            [.. store.Generations.Where(info => info.Generation > oldest && !listed.Contains(info.ImageId))]);
    }
}
