using Snapshot.Base;

namespace Snapshot;

/// <summary>What one checkpoint request asks for.</summary>
public sealed class CheckpointOptions
{
    /// <summary>
    /// Time from the request to the moment every participant has come; when it passes, the checkpoint is
    /// aborted.
    /// </summary>
    /// <value>Default null: the session's <see cref="SnapshotOptions.Timeout"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan? Timeout
    {
        get; init => field = value is { } timeout
        ? OptionValue.Positive(timeout) : null;
    }

    /// <summary>
    /// Whether this one waits while another checkpoint runs. If not, it fails with
    /// <see cref="SnapshotErrorCode.Busy"/>.
    /// </summary>
    /// <value>Default false.</value>
    public bool WaitIfBusy { get; init; }
}
