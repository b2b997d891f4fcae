namespace Snapshot.Mpi.Manifest;

/// <summary>Who has a generation whole, beside the ranks' own stores; bits of the file.</summary>
[Flags]
internal enum JobLevels
{
    None = 0,

    /// <summary>Each image is also with the partner of its rank.</summary>
    Partner = 1,

    /// <summary>Each image is also in the shared directory.</summary>
    Shared = 2,
}
