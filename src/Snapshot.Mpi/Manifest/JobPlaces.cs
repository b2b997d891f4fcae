using System.Globalization;

namespace Snapshot.Mpi.Manifest;

/// <summary>What lies where in the directory of a job.</summary>
internal sealed class JobPlaces(string directory)
{
    private const string RankPrefix = "rank-";

    internal string Directory { get; } = Path.GetFullPath(directory);

    internal string ManifestPath => Path.Combine(Directory, JobManifest.FileName);

    /// <summary>The directory of a rank's own store.</summary>
    internal string StoreOf(int rank) =>
        Path.Combine(Directory, string.Create(CultureInfo.InvariantCulture, $"{RankPrefix}{rank:D5}"));
}
