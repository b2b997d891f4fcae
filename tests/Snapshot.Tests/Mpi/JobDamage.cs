using Snapshot.Mpi.Manifest;

namespace Snapshot.Tests.Mpi;

/// <summary>Damages what a job has on the disk.</summary>
internal static class JobDamage
{
    /// <summary>Changes a bit in the first block of a rank's image of the newest generation.</summary>
    internal static void InNewestImage(string directory, int rank) =>
        InNewestImage(directory, rank, new JobPlaces(directory).StoreOf(rank));

    /// <summary>The same of a copy, where its keeper has it.</summary>
    internal static void InNewestCopy(string directory, int rank) =>
        InNewestImage(directory, rank, new JobPlaces(directory).CopyOf(rank));

    private static void InNewestImage(string directory, int rank, string store)
    {
        RankImage newest = JobManifestFile.Read(directory)!.Newest!.Images[rank];
        string image = Path.Combine(store, $"{newest.Generation:D10}.snapshot");
        byte[] bytes = File.ReadAllBytes(image);
        bytes[4096 + 100] ^= 1;
        File.WriteAllBytes(image, bytes);
    }
}
