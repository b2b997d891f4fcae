namespace Snapshot;

/// <summary>How the changed pages of a checkpoint are kept as they are at its capture.</summary>
public enum CaptureMode
{
    /// <summary>
    /// Chosen for each arena and checkpoint from what the machine allows and what was measured of its writes:
    /// copy-on-write where it can be and memory is written densely, else pre-copy where tracking allows it,
    /// else stage. The default. <see cref="RegionCaptureInfo.Reason"/> tells why.
    /// </summary>
    Auto,

    /// <summary>All changed pages are copied inside the pause.</summary>
    Stage,

    /// <summary>
    /// Changed pages are copied while the application runs; inside the pause only those written meanwhile are
    /// copied again. Needs a mechanism that sees every write (<see cref="TrackingMechanism.WriteProtect"/>).
    /// </summary>
    PreCopy,

    /// <summary>
    /// Nothing is copied inside the pause: written memory is protected again, and a page is copied only if
    /// the application writes it before the drain has read it. Needs userfaultfd with write protection;
    /// without the privilege to serve system calls, too, one that writes to an arena, such as read(2), fails
    /// with EFAULT, and the mode is not chosen by itself (<c>snapshot doctor</c> tells).
    /// </summary>
    CopyOnWrite,
}
