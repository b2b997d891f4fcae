namespace Snapshot;

/// <summary>Where a session stands in taking a checkpoint. docs/PROTOCOL.md is normative.</summary>
/// <remarks>The values are part of the phase word: never renumber.</remarks>
internal enum Phase : byte
{
    /// <summary>No checkpoint; the application runs.</summary>
    Idle = 0,

    /// <summary>
    /// A checkpoint was requested and waits for critical sections to end; the application runs.
    /// </summary>
    Pending = 1,

    /// <summary>Async handlers prepare; the application runs.</summary>
    Async = 2,

    /// <summary>Every participant runs its sync handlers at its next safepoint, then parks.</summary>
    Sync = 3,

    /// <summary>Every participant is parked, in a blocked region, or gone; memory is captured.</summary>
    Capture = 4,

    /// <summary>The participants are being woken.</summary>
    Release = 5,

    /// <summary>The application runs; the image is written and not visible yet.</summary>
    Drain = 6,

    /// <summary>The generation is being made durable and visible; the application runs.</summary>
    Commit = 7,
}
