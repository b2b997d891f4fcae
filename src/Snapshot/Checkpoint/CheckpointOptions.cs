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

    /// <summary>
    /// Whether the committed parts of handlers wait for <see cref="CheckpointTicket.TellCommitted"/>: for a
    /// generation that counts only when others have theirs, too, as in a job of several processes.
    /// </summary>
    /// <value>Default false: they are called when the generation is durable.</value>
    public bool TellCommittedLater { get; init; }

    /// <summary>
    /// What the program calls the generation, such as a label and a version: listed with it
    /// (<see cref="GenerationInfo.Tag"/>), and what a restart may ask for (<see cref="RestartOptions.Tag"/>).
    /// Several generations may have one tag.
    /// </summary>
    /// <value>Default null: none.</value>
    /// <exception cref="ArgumentException">
    /// Empty, longer than 255 bytes of UTF-8, not well-formed UTF-16, or with a control character.
    /// </exception>
    public string? Tag { get; init => field = value is { } tag ? RecordedTag.Checked(tag) : null; }
}
