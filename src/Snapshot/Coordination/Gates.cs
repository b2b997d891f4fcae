namespace Snapshot;

/// <summary>
/// Where application code waits until all resume parts are done. Default: nowhere; locks in arenas order the
/// threads.
/// </summary>
[Flags]
public enum Gates
{
    /// <summary>Every participant goes on as soon as its own handlers have resumed.</summary>
    None = 0,

    /// <summary>
    /// Attaching after a restart returns only when every handler the image names has been resumed.
    /// </summary>
    OnRestart = 1,

    /// <summary>
    /// After a checkpoint a participant goes on only when all resume parts of that checkpoint are done.
    /// </summary>
    OnContinue = 2,
}
