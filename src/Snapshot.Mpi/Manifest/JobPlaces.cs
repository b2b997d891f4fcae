using System.Globalization;

namespace Snapshot.Mpi.Manifest;

/// <summary>What lies where in the directory of a job.</summary>
internal sealed class JobPlaces(string directory)
{
    private const string AsideSuffix = ".aside";
    private const string PartialSuffix = ".partial";

    internal string Directory { get; } = Path.GetFullPath(directory);

    internal string ManifestPath => Path.Combine(Directory, JobManifest.FileName);

    /// <summary>The directory of a rank's own store.</summary>
    internal string StoreOf(int rank) => Of("rank-", rank);

    /// <summary>The store of copies of a rank's images, where its keeper has it.</summary>
    internal string CopyOf(int rank) => Of("partner-of-", rank);

    /// <summary>Where a rank's store is put together from copies.</summary>
    internal string PartialStoreOf(int rank) => StoreOf(rank) + PartialSuffix;

    /// <summary>Whether somebody put a store there.</summary>
    internal static bool HasStore(string store) =>
        File.Exists(Path.Combine(store, Storage.Manifest.FileName));

    /// <summary>Takes a store out of the way, in place of one that was before.</summary>
    internal static void SetAside(string store)
    {
        if (!System.IO.Directory.Exists(store)) return;
        Delete(store + AsideSuffix);
        System.IO.Directory.Move(store, store + AsideSuffix);
    }

    /// <summary>Deletes what was taken out of the way, when it is not needed any more.</summary>
    internal static void DropAside(string store) => Delete(store + AsideSuffix);

    internal static void Delete(string store)
    {
        if (System.IO.Directory.Exists(store)) System.IO.Directory.Delete(store, recursive: true);
    }

    private string Of(string prefix, int rank) =>
        Path.Combine(Directory, string.Create(CultureInfo.InvariantCulture, $"{prefix}{rank:D5}"));
}
