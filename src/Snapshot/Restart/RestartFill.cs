namespace Snapshot;

/// <summary>When the memory of an image is read at a restart.</summary>
public enum RestartFill
{
    /// <summary>
    /// All of it before the session begins: damage is found then, and nothing waits later. The default.
    /// </summary>
    Eager,

    /// <summary>
    /// Each page of an arena when a thread first touches it. The rest is read while the participants run.
    /// Needs userfaultfd and write-protect tracking. Damage that is found later fails the session, and ends
    /// the process when a thread touches what is damaged.
    /// </summary>
    Lazy,
}
