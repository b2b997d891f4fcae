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
            [.. Enumerable.Range(0, manifest.Ranks).Select(rank => RankSurvey.Of(places, manifest, rank))]);
    }

    /// <summary>How many ranks have their image of a generation, whole as far as the stores' manifests say.
    /// </summary>
    internal int RanksWith(JobEntry entry) =>
        Ranks.Count(rank => rank.Find(entry.Images[rank.Rank].ImageId) is not null);
}

/// <summary>The store of one rank.</summary>
/// <param name="Rank">Its number.</param>
/// <param name="Generations">Of its store; empty where that is not here.</param>
/// <param name="IsHere">Whether there is a store.</param>
/// <param name="Orphans">
/// Generations newer than those of the job: of checkpoints that were not published.
/// </param>
internal sealed record RankSurvey(
    int Rank, IReadOnlyList<GenerationInfo> Generations, bool IsHere, IReadOnlyList<GenerationInfo> Orphans)
{
    internal GenerationInfo? Find(Guid imageId) =>
        Generations.FirstOrDefault(info => info.ImageId == imageId);

    internal static RankSurvey Of(JobPlaces places, JobManifest manifest, int rank)
    {
        string directory = places.StoreOf(rank);
        if (!File.Exists(Path.Combine(directory, Storage.Manifest.FileName))) return new(rank, [], false, []);
        using SnapshotStore store = SnapshotStore.OpenReadOnly(directory);
        HashSet<Guid> listed = [.. manifest.Entries.Select(entry => entry.Images[rank].ImageId)];
        long oldest = manifest.Entries is [var first, ..] ? first.Images[rank].Generation : 0;
        return new(
            rank, store.Generations, true,
            [.. store.Generations.Where(info => info.Generation > oldest && !listed.Contains(info.ImageId))]);
    }
}
