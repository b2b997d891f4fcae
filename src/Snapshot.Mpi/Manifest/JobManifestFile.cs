using Snapshot.Image;
using Snapshot.Mpi.Protocol;
using Snapshot.Storage;

namespace Snapshot.Mpi.Manifest;

/// <summary>The manifest in the directory of the job. Rank 0 writes it, the others read it.</summary>
internal static class JobManifestFile
{
    private const string Partial = JobManifest.FileName + ImageFileName.PartialSuffix;

    /// <summary>The manifest, or null where the directory has none.</summary>
    /// <exception cref="SnapshotException">Corrupt, UnsupportedFormat, StoreIo.</exception>
    internal static JobManifest? Read(string directory)
    {
        using DirectoryMedium medium = new(directory, directReads: false);
        try
        {
            using IStoreFile file = medium.OpenForReading(JobManifest.FileName);
            byte[] bytes = new byte[checked((int)file.Length)];
            file.Read(0, bytes);
            return JobManifest.Decode(bytes, file.Name);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Makes an empty file beside it, and the directory where it is missing.</summary>
    /// <exception cref="SnapshotException">StoreIo.</exception>
    internal static void Touch(string directory, string name, StoreOptions options)
    {
        using DirectoryMedium medium = new(directory, directReads: false, options);
        medium.CreateLocation();
        medium.Create(name, direct: false).Dispose();
    }

    /// <summary>
    /// Puts a manifest in the place of the one there is. After a crash either of the two is there.
    /// </summary>
    /// <exception cref="SnapshotException">StoreIo.</exception>
    /// <param name="directory">Of the job.</param>
    /// <param name="manifest">The new one.</param>
    /// <param name="options">Whose files they are, and who may read them.</param>
    /// <param name="at">Told of the steps.</param>
    internal static void Write(
        string directory, JobManifest manifest, StoreOptions options, Action<JobPoint> at)
    {
        using DirectoryMedium medium = new(directory, directReads: false, options);
        medium.CreateLocation();
        using (IStoreFile file = medium.Create(Partial, direct: false))
        {
            file.Write(manifest.Encode(), 0);
            file.Sync();
        }

        at(JobPoint.Written);
        medium.Rename(Partial, JobManifest.FileName);
        at(JobPoint.Renamed);
        medium.SyncDirectory();
        at(JobPoint.Published);
    }
}
