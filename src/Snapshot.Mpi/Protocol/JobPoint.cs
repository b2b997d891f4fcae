namespace Snapshot.Mpi.Protocol;

/// <summary>Places of a rank's way through a checkpoint of the job, at which tests end it.</summary>
internal enum JobPoint
{
    /// <summary>A checkpoint was agreed upon.</summary>
    Agreed,

    /// <summary>No message was found that nobody received.</summary>
    Checked,

    /// <summary>This rank has captured; others may not have.</summary>
    Captured,

    /// <summary>All have captured, and images are being written.</summary>
    Draining,

    /// <summary>This rank knows that all images are durable.</summary>
    Drained,

    /// <summary>
    /// The manifest is written beside the one that counts; of a rank that keeps it, as are the next two.
    /// </summary>
    Written,

    /// <summary>It is in its place, and the directory is not synced.</summary>
    Renamed,

    /// <summary>It is durable, and no other rank knows.</summary>
    Published,

    /// <summary>This rank knows that it is durable.</summary>
    Told,

    /// <summary>This rank has let go of what older generations needed.</summary>
    LetGo,

    /// <summary>All ranks have copied a generation to a level, and no manifest says so.</summary>
    Copied,

    /// <summary>This rank knows that manifests say so.</summary>
    Listed,
}
