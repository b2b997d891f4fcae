namespace Snapshot;

/// <summary>How the changed pages of a checkpoint are copied out of the application's way.</summary>
public enum CaptureMode
{
    /// <summary>Pre-copy where the tracking mechanism allows it, else stage. The default.</summary>
    Auto,

    /// <summary>All changed pages are copied inside the pause.</summary>
    Stage,

    /// <summary>
    /// Changed pages are copied while the application runs; inside the pause only those written meanwhile are copied
    /// again. Needs a mechanism that sees every write (<see cref="TrackingMechanism.WriteProtect"/>).
    /// </summary>
    PreCopy,
}
