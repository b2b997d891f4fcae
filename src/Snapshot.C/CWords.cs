namespace Snapshot.C;

/// <summary>What messages of the .NET library advise, as a program in C writes it.</summary>
/// <remarks>A test holds both sides to what there is: the sources, and the headers.</remarks>
internal static class CWords
{
    /// <summary>A longer phrase comes before a shorter one that is in it.</summary>
    internal static (string Net, string C)[] Phrases { get; } =
    [
        ("RequestCheckpoint().WaitCommittedInThread()", "snapshot_checkpoint"),
        ("WaitCommittedInThread() of its ticket", "snapshot_wait with its ticket"),
        ("set CheckpointOptions.WaitIfBusy", "leave out SNAPSHOT_SKIP_IF_BUSY"),
        ("ArenaOptions.Capacity", "snapshot_options.capacity"),
        ("SnapshotTuning.StagingLimit", "snapshot_options.staging_limit"),
        ("SnapshotOptions.SystemCallsMustWork", "SNAPSHOT_SYSTEM_CALLS_MUST_WORK"),
        ("AddressWindow.Bytes", "snapshot_options.window_bytes"),
        ("StoreOptions.AllowUnlocked", "SNAPSHOT_ALLOW_UNLOCKED"),
        ("EnterBlockedRegion()", "snapshot_enter_blocked"),
        ("Call Poll()", "Call snapshot_poll"),
        ("TryGetRoot", "snapshot_find_array"),
        ("Call Protect for each", "Call snapshot_protect for each"),
        ("DropRestoredBuffer", "snapshot_unprotect"),
        ("Call Unprotect before", "Call snapshot_unprotect before"),
        ("MpiJob polls", "snapshot_job_poll is called"),
        ("call Poll where", "call snapshot_job_poll where"),
        ("is in Poll", "is in snapshot_job_poll"),
        ("is in Checkpoint", "is in snapshot_job_checkpoint"),
        ("is in Dispose", "is in snapshot_job_close"),
        ("or leave Partner off", "or leave SNAPSHOT_PARTNER out"),
        (": put it first on the path, or name it in MPICC", ""),
        ("Root '", "Array '"),
        ("used before Initialize was called on it", "used before it was initialised"),
    ];

    internal static string In(string message)
    {
        foreach ((string net, string c) in Phrases)
            message = message.Replace(net, c, StringComparison.Ordinal);
        return message;
    }
}
