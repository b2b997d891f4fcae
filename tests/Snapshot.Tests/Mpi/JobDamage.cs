using Snapshot.Mpi.Manifest;

namespace Snapshot.Tests.Mpi;

/// <summary>Damages what a job has on the disk.</summary>
internal static class JobDamage
{
    /// <summary>Changes a bit in the first block of a rank's image of the newest generation.</summary>
    internal static void InNewestImage(string directory, int rank)
    {
        RankImage newest = JobManifestFile.Read(directory)!.Newest!.Images[rank];
        string image = Path.Combine(
            new JobPlaces(directory).StoreOf(rank), $"{newest.Generation:D10}.snapshot");
        byte[] bytes = File.ReadAllBytes(image);
        bytes[4096 + 100] ^= 1;
        File.WriteAllBytes(image, bytes);
    }
}
