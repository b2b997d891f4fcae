namespace Snapshot.Mpi;

/// <summary>Where images of a generation are.</summary>
public enum JobLevel
{
    /// <summary>In each rank's own store: survives killed ranks and a start on the same hosts.</summary>
    Local,

    /// <summary>With a partner, on another host: survives the loss of any one host with its disk.</summary>
    Partner,

    /// <summary>In the shared directory: survives the loss of all hosts.</summary>
    Shared,
}
