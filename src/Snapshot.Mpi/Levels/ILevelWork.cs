namespace Snapshot.Mpi.Levels;

/// <summary>
/// This rank's part in copying a generation to another level. It goes on in threads of its own as far as it
/// can, and at polls where it sends or receives.
/// </summary>
internal interface ILevelWork : IDisposable
{
    /// <summary>Does what can be done without waiting; true when nothing is left to do.</summary>
    public bool Advance();

    /// <summary>What went wrong, where that is over; else null.</summary>
    public Exception? Error { get; }

    /// <summary>Of this rank's images, those copied and those to copy.</summary>
    public (long Done, long Total) Bytes { get; }
}
