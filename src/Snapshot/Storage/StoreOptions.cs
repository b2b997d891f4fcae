using Snapshot.Base;

namespace Snapshot;

/// <summary>How a store behaves.</summary>
public sealed class StoreOptions
{
    /// <value>
    /// What a session prunes to after a commit; default: the last two generations and what they need.
    /// </value>
    public RetentionPolicy Retention { get; init => field = OptionValue.NotNull(value); } = new();

    /// <value>
    /// What is kept beside <see cref="Retention"/> until it is let go; default null: nothing. It comes on top
    /// of <see cref="MaxStateMultiple"/>.
    /// </value>
    public RetentionHold? Hold { get; init; }

    /// <value>
    /// The most images a restart should have to read: a longer chain is compacted beside the session. Default
    /// 32.
    /// </value>
    public int ChainLengthMax { get; init => field = OptionValue.AtLeast(value, 1); } = 32;

    /// <value>
    /// What the images of the last generations and what these need may take together, as a multiple of a full
    /// image, also while another one is being written; at least 2, default 3. Where increments would exceed
    /// it an image is written that needs no parent. As many full images as
    /// <see cref="RetentionPolicy.KeepLast"/> says and one more are always allowed, and so are 4 MiB.
    /// Generations kept by their number come on top.
    /// </value>
    public double MaxStateMultiple { get; init => field = OptionValue.AtLeast(value, 2); } = 3;

    /// <value>
    /// The most bytes that all files of the store may take, also while an image is being written; at least 1
    /// MiB. A checkpoint that would exceed it fails with what would help. Default null: what the disk has
    /// room for.
    /// </value>
    public long? MaxBytes
    {
        get; init => field = value is { } bytes
        ? OptionValue.AtLeast(bytes, 1 << 20) : null;
    }

    /// <value>
    /// Whether the group of the directory may read its files: they are made with mode 0640 and not 0600,
    /// directories with 0750 and not 0700. Default false: a state may hold secrets.
    /// </value>
    public bool GroupMayRead { get; init; }

    /// <value>
    /// Whether to write a store whose directory or files belong to another user, or whose directory everybody
    /// may write; default false: whoever wrote an image decides what a process that restarts from it does.
    /// What belongs to root is always allowed. For root, new files get the owner of the directory.
    /// </value>
    public bool AllowForeignOwner { get; init; }

    /// <value>
    /// Whether to go on where the file system cannot lock a file (flock); default false. Then two processes
    /// that open the store at the same time are told apart by what they write into it: the second to come
    /// goes on, and the first fails with StoreBusy before it changes anything.
    /// </value>
    public bool AllowUnlocked { get; init; }

    /// <value>
    /// How long opening for writing waits while another process has the store; then it fails with StoreBusy,
    /// which names that one. Zero: not at all. Default 10 seconds, because the lock of a process that was
    /// killed outlives it until its memory is given back. Another session of this process is not waited for.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public TimeSpan LockTimeout { get; init => field = OptionValue.NotNegative(value); } =
        TimeSpan.FromSeconds(10);

    /// <summary>
    /// Told, once, that opening has waited for a second and for whom; called by the thread that opens.
    /// </summary>
    internal Action<string>? Waiting { get; init; }

    /// <summary>The same with another retention.</summary>
    internal StoreOptions With(RetentionPolicy retention, RetentionHold hold) => new()
    {
        Retention = retention,
        Hold = hold,
        ChainLengthMax = ChainLengthMax,
        MaxStateMultiple = MaxStateMultiple,
        MaxBytes = MaxBytes,
        GroupMayRead = GroupMayRead,
        AllowForeignOwner = AllowForeignOwner,
        AllowUnlocked = AllowUnlocked,
        LockTimeout = LockTimeout,
        Waiting = Waiting,
    };
}
