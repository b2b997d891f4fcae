namespace Snapshot.Coordination;

/// <summary>
/// Where a participant stands, for diagnostics and for the table of a capture. Written by its own thread.
/// </summary>
internal enum ParticipantStatus
{
    /// <summary>Has a name but is not in the barrier yet.</summary>
    Joining,

    /// <summary>Executes application code or handlers.</summary>
    Running,

    /// <summary>Asleep for an arena lock; counted, and woken by a checkpoint.</summary>
    Waiting,

    /// <summary>Asleep at the entry or exit of a critical section while a checkpoint is pending.</summary>
    AtCriticalSection,

    /// <summary>In a blocked region; not counted.</summary>
    Blocked,

    /// <summary>Stopped for a checkpoint.</summary>
    Parked,

    /// <summary>Waits for the resume parts of others.</summary>
    AtGate,

    /// <summary>Left, or its thread died.</summary>
    Gone,
}
